"""What the documentation shows to be written or typed works."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import augrnn
from augrnn.cli import main
from augrnn.dotted import named
from augrnn.lab.claims_tables import committed, counted, judged
from augrnn.lab.experiment import load
from augrnn.lab.results import Results, RunRecord
from augrnn.lab.run_process import tags_of
from augrnn.lab.settings import merged
from augrnn.measures.measure import Measure, measured
from augrnn.sweeps.points import points
from augrnn.sweeps.sweep_file import read_sweep
from augrnn.tasks import Copy
from augrnn.training.command import train
from tests import tiny

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
YAML = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
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


@pytest.fixture
def own(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the cell, the config and the experiment of the page for contributors, without a clone."""
    page = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for path, text in zip(
        ("fading.py", "configs/copy/fading.yaml", "experiments/mine/fading/experiment.py"),
        re.findall(r"^```(?:python|yaml)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL),
        strict=True,
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
        assert f"`{path}`" in page
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("fading", None)


def test_the_cell_for_contributors_trains_without_a_clone(own: Path) -> None:
    words = ["--config", "configs/copy/fading.yaml", "--data.validation_sequences=32", "--trainer.accelerator=cpu"]
    quiet = ["--trainer.enable_progress_bar=false", "--trainer.enable_model_summary=false", "--trainer.logger=false"]
    assert main(["fit", *words, *quiet, "--trainer.max_steps=2", "--trainer.default_root_dir=run"]) == 0
    assert type(augrnn.load("run").system.cell).__name__ == "Fading"


def test_the_experiment_for_contributors_is_planned_and_judged(own: Path) -> None:
    experiment = load("mine/fading", own / "experiments")
    plan = experiment.plan("smoke", own / "experiments")
    assert [run.name for run in plan] == ["fading/seed-0", "fading/seed-1", "fading/seed-2"]
    assert plan[0].settings["model"]["init_args"]["cell"]["class_path"] == "fading.Fading"
    assert plan[0].settings["data"]["init_args"]["test_lengths"] == [10]
    (claim,) = experiment.claims
    for wrong, state in ((29.0, "reproduced"), (31.0, "not reproduced")):
        runs = {
            ("fading", seed): RunRecord("fading", seed, "finished", {"wrong_bits": {"10": wrong}}) for seed in range(3)
        }
        assert claim.judge(Results("mine/fading", "smoke", experiment.seeds("smoke"), runs)).state == state


def test_the_measures_of_the_example_are_those_that_its_task_has(own: Path) -> None:
    assert "`wrong_bits`" in str(named(Copy.measure, Measure, "measure").__doc__)
    few = {"trainer": {"max_steps": 2, "accelerator": "cpu"}, "data": {"init_args": {"validation_sequences": 32}}}
    run = load("mine/fading", own / "experiments").plan("smoke", own / "experiments")[0]
    trained = train(merged(run.settings, few), run.folder(own / "runs"), tags_of(run))
    assert measured(trained.system, trained.task).numbers["wrong_bits"].keys() == {"10"}


def test_bits_are_predicted_as_the_page_types_them(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (line,) = re.findall(
        r'^    echo "(.*)" \| augrnn predict RUN$', (root / "docs/python.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    tags = {"experiment": "e", "variant": "v", "scale": "smoke", "seed": 0}
    tiny.train([*tiny.CONFIG, *tiny.tiny(2), "--trainer.max_steps=2"], tmp_path / "run", tags)
    (tmp_path / "line").write_text(line)
    assert main(["predict", str(tmp_path / "run"), str(tmp_path / "line")]) == 0
    assert [len(row) for row in json.loads(capsys.readouterr().out)] == [8, 8, 8]
    assert augrnn.load(tmp_path / "run").exhibits() == {}  # an LSTM's, as the page says


def test_every_yaml_of_the_docs_is_a_sweep(root: Path, tmp_path: Path) -> None:
    texts = [text for page in sorted((root / "docs").glob("*.md")) for text in YAML.findall(page.read_text("utf-8"))]
    assert texts
    for text in texts:
        (tmp_path / "sweep.yaml").write_text(text)
        sweep = read_sweep(tmp_path / "sweep.yaml", root)
        assert len(points(sweep)) * len(sweep.seeds) == 6
        assert (root / sweep.options[sweep.options.index("--config") + 1]).is_file()


def test_readme_ends_the_first_command_as_the_committed_record_says(root: Path) -> None:
    page = (root / "README.md").read_text(encoding="utf-8")
    experiment = load("ntm/copy", root / "experiments")
    record = committed(experiment, root / "experiments")["smoke"]
    rows = [row for row in judged(experiment, record, "smoke") if row.verdict.known]
    assert f"    ntm/copy, scale smoke: {counted(rows)}\n" in page
    for row in rows:
        state = f"{row.verdict.state}, thin" if row.verdict.thin else row.verdict.state
        assert f"    {state:20}  {row.claim.sentence}\n" in page
        assert not row.verdict.thin or f"      thin          {', '.join(row.verdict.thin)}\n" in page
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
