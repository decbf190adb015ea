"""The Python in the documentation runs."""

import re
from pathlib import Path

import pytest

from augrnn.lab.claims_tables import committed, counted, judged
from augrnn.lab.experiment import load
from augrnn.lab.run_process import tags_of
from augrnn.lab.settings import merged
from augrnn.training.command import train

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = {"docs/python.md": 8, "README.md": 2}
"""Pages, and how many blocks each has at least."""


def blocks(page: Path) -> list[str]:
    """The blocks of Python on a page, each behind as many blank lines as there are lines before it on the page."""
    text = page.read_text(encoding="utf-8")
    return ["\n" * text.count("\n", 0, found.start(1)) + found[1] for found in BLOCK.finditer(text)]


@pytest.mark.parametrize(("page", "least"), PAGES.items())
def test_the_blocks_of_a_page_run_one_after_the_other(
    page: str, least: int, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, names = blocks(root / page), {"__name__": "page"}
    assert len(found) >= least
    monkeypatch.chdir(tmp_path)
    if page == "README.md":
        _train_a_run(root, tmp_path)
    for block in found:
        exec(compile(block, page, "exec"), names)


def test_readme_ends_the_first_command_as_the_committed_record_says(root: Path) -> None:
    page = (root / "README.md").read_text(encoding="utf-8")
    experiment = load("ntm/copy", root / "experiments")
    record = committed(experiment, root / "experiments")["smoke"]
    rows = [row for row in judged(experiment, record, "smoke") if row.verdict.known]
    assert f"    ntm/copy, scale smoke: {counted(rows)}\n" in page
    for row in rows:
        assert f"    {row.verdict.state:14}  {row.claim.sentence}\n" in page
        assert all(f"{part}\n" in page for part in [*row.verdict.text.split("; "), row.claim.paper])


def _train_a_run(root: Path, folder: Path) -> None:
    """A few updates of the run that README loads."""
    plan = load("attention/reversal", root / "experiments").plan("smoke", root / "experiments")
    short = {"trainer": {"max_steps": 3, "limit_val_batches": 0}}
    train(merged(plan[0].settings, short), plan[0].folder(folder / "runs"), tags_of(plan[0]))


def test_a_block_that_fails_names_its_line(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Page\n\n```python\nx = 1\n```\n\ntext\n\n```python\n\nx.y\n```\n")
    first, second = blocks(page)
    assert (first, second) == ("\n\n\nx = 1\n", "\n" * 9 + "\nx.y\n")
    with pytest.raises(AttributeError) as failed:
        exec(compile(second, "page.md", "exec"), {"x": 1})
    assert failed.traceback[-1].lineno + 1 == 11
