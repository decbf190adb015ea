"""The files of a report, without a browser."""

from __future__ import annotations

import errno
import hashlib
import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from augrnn.cli import main
from augrnn.errors import UserError
from augrnn.exhibits.text_table import TextTable
from augrnn.lab.claims import STATES
from augrnn.lab.claims_tables import committed as committed_records
from augrnn.lab.claims_tables import judged, marked_sweeps, strongest
from augrnn.report.build import ASSETS, LIST, remove_old, report_files, write_report
from augrnn.report.cards import card_html
from augrnn.report.contents import ClaimsFile, short_citation, shown
from augrnn.report.html import Html, data_block, element
from tests.report.conftest import EXPERIMENTS

if TYPE_CHECKING:
    from augrnn.lab.claims_tables import Judged
    from augrnn.report.contents import Shown

HOSTILE = "</script><img src=x onerror=alert(1)>&amp;\"'<b>"


class Links(HTMLParser):
    """What a page refers to, and the ids that it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.ids: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.found.append(value)
            if name == "id" and value:
                self.ids.append(value)


def test_texts_stay_texts() -> None:
    made = element("p", HOSTILE, element("b", "x"), title=HOSTILE, data_name="a", hidden=True, class_=None)
    parser = Links(made)
    assert parser.found == []
    assert made.startswith('<p title="&lt;/script&gt;')
    assert made.endswith("<b>x</b></p>")
    assert " hidden" in made
    assert "class" not in made
    block = data_block("d", {"text": HOSTILE + "\u2028"})
    inside = block.partition(">")[2].removesuffix("</script>")
    assert "<" not in inside
    assert json.loads(inside) == {"text": HOSTILE + "\u2028"}
    assert isinstance(element("br"), Html)
    assert element("br") == "<br>"


def test_a_card_keeps_its_words_and_nothing_that_leads_nowhere() -> None:
    card = (
        "# Title\n\nIt [reads](https://example.org/a) and [links](../other/README.md).\n\n![Curves](figures/a.png)\n\n"
        "    augrnn reproduce a/b\n\n<!-- results:begin -->\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\n"
        "<!-- results:end -->\n\n## Deviations\n\n1. `x`\n\n<script>alert(1)</script>\n\n[bad](javascript:alert(1))\n"
    )
    html = card_html(card)
    assert Links(html).found == ["https://example.org/a"]
    assert "Title" not in html
    assert "links" in html
    assert "<h3>Deviations</h3>" in html
    assert "<table>" not in html
    assert "augrnn reproduce" not in html
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_every_claim_stands_on_the_first_page_with_the_verdict_of_the_record(
    committed: list[Shown], site: Path
) -> None:
    page = (site / "index.html").read_text(encoding="utf-8")
    assert page.count("data-verdict=") == sum(len(each.claims) for each in committed)
    claims = ClaimsFile.model_validate_json((site / "claims.json").read_text(encoding="utf-8")).claims
    rows = [row for each in committed for row in strongest(each.experiment, EXPERIMENTS)]
    assert [(entry.experiment, entry.claim) for entry in claims] == [
        (row.experiment.name, row.claim.name) for row in rows
    ]
    for entry, row in zip(claims, rows, strict=True):
        assert (entry.verdict, entry.here, entry.seeds) == (row.verdict.state, row.verdict.text, row.verdict.seeds)
        assert (entry.value, entry.interval) == (row.verdict.value, row.verdict.interval)
        assert (entry.thin, tuple(entry.thin_because)) == (bool(row.verdict.thin), row.verdict.thin)
        assert entry.reduced == (row.verdict.known and row.scale in ("smoke", "small"))
        assert (entry.cost is None) == (not row.scale)


def test_a_thin_verdict_is_marked_with_its_reasons_on_every_page(committed: list[Shown], site: Path) -> None:
    first = (site / "index.html").read_text(encoding="utf-8")
    thin = [entry for each in committed for entry in each.claims if entry.thin]
    assert first.count('<span class="note">thin: ') == len(thin) > 0
    for each in committed:
        page = (site / each.page).read_text(encoding="utf-8")
        marks = [f"thin: {', '.join(entry.thin_because)}" for entry in each.claims if entry.thin]
        assert re.findall(r'<span class="note">(thin: [^<]*)</span>', page) == marks
        tables = [row.verdict.mark for scale in reversed(each.records) for row in judged_at(each, scale)]
        for name, record in marked_sweeps(each.experiment, EXPERIMENTS).items():
            tables += [row.verdict.mark for row in judged(each.experiment, record, name)]
        assert re.findall(r'<span class="line">(thin: [^<]*)</span>', page) == list(filter(None, tables))


def judged_at(shown: Shown, scale: str) -> list[Judged]:
    return judged(shown.experiment, committed_records(shown.experiment, EXPERIMENTS)[scale], scale)


def test_the_cost_is_that_of_the_runs_on_record(committed: list[Shown]) -> None:
    (copy,) = [each for each in committed if each.experiment.name == "ntm/copy"]
    content = json.loads((EXPERIMENTS / "ntm/copy/results/small.json").read_text(encoding="utf-8"))
    cost = copy.claims[0].cost
    assert cost is not None
    assert (cost.runs, cost.seconds) == (len(content["runs"]), sum(run["seconds"] for run in content["runs"]))
    assert cost.hardware == content["provenance"]["hardware"]


def test_papers_that_contradict_each_other_are_named(committed: list[Shown]) -> None:
    found = {(entry.experiment, entry.claim): entry.contested for each in committed for entry in each.claims}
    assert found["act/ponder", "few-taus-solve"] == "Graves 2016"
    assert found["act/parity", "small-taus-solve"] == "Banino et al. 2021"


def test_the_layout_of_the_claims_is_documented_field_by_field(site: Path) -> None:
    schema = json.loads((site / "claims.schema.json").read_text(encoding="utf-8"))
    fields = schema["$defs"]["ClaimEntry"]["properties"]
    assert all(len(each["description"]) > 10 for each in fields.values())
    assert set(schema["$defs"]["ClaimEntry"]["required"]) == set(fields)
    assert set(fields["verdict"]["enum"]) == set(STATES)


@pytest.mark.parametrize(
    ("citation", "short"),
    [
        ("Graves 2016: Adaptive Computation Time, arXiv 1603.08983", "Graves 2016"),
        ("Nobody (2026): Nothing", "Nobody (2026)"),
        ("none: an example of 2016", "no paper"),
        ("Somebody", "Somebody"),
    ],
)
def test_papers_are_named_by_authors_and_year(citation: str, short: str) -> None:
    assert short_citation(citation) == short


def test_everything_that_pages_refer_to_is_there(site: Path) -> None:
    pages = {path: Links(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    assert len(pages) > 20
    for path, links in pages.items():
        assert len(set(links.ids)) == len(links.ids), path
        for link in links.found:
            if link.startswith("https://"):
                continue
            name, _, fragment = link.partition("#")
            target = (path.parent / unquote(name)).resolve() if name else path
            assert target.is_file(), (path, link)
            if fragment:
                assert unquote(fragment) in pages[target].ids, (path, link)


def test_pages_are_small_and_load_nothing_from_elsewhere(site: Path) -> None:
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        loaded = re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="([^"]+)"', text)
        assert not any("://" in each for each in loaded)
        assert 'type="module"' not in text
        size = len(text.encode()) + sum((path.parent / unquote(each)).stat().st_size for each in loaded)
        assert size < (300_000 if path.name == "index.html" else 1_000_000), (path, size)


def test_the_library_is_the_one_that_its_list_names() -> None:
    listed = (ASSETS / "vendor/README.md").read_text(encoding="utf-8")
    scripts = list((ASSETS / "vendor").glob("*.js"))
    assert len(scripts) == 2
    for path in scripts:
        assert hashlib.sha256(path.read_bytes()).hexdigest() in listed
        assert (ASSETS / "vendor" / f"LICENSE-{path.name.partition('.')[0]}").is_file()


def test_what_has_not_changed_is_not_written_again(committed: list[Shown], site: Path, tmp_path: Path) -> None:
    files = report_files(committed)
    assert write_report(files, site) == []
    assert {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()} == set(files)
    assert report_files(committed) == files


def test_what_an_earlier_report_wrote_and_this_one_has_not_is_taken_away(
    committed: list[Shown], tmp_path: Path
) -> None:
    some = [each for each in committed if each.experiment.name in ("dnc/copy", "ntm/repeat-copy", "attention/reversal")]
    first = report_files(some)
    out = tmp_path / "out"
    assert remove_old(first, out) == []
    write_report(first, out)
    (out / "notes.txt").write_text("mine")
    (out / "dnc/mine.html").write_text("mine")
    (out / "attention/reversal.html").write_text("changed since")
    less = report_files([each for each in some if each.experiment.name == "ntm/repeat-copy"])
    assert {path.relative_to(out).as_posix() for path in remove_old(less, out)} == {"dnc/copy.html"}
    write_report(less, out)
    left = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert left == {*less, "notes.txt", "dnc/mine.html", "attention/reversal.html"}
    assert remove_old(less, out) == []
    (out / "dnc/mine.html").unlink()
    write_report(first, out)
    remove_old(less, out)
    assert not (out / "dnc").exists()  # empty by now
    assert out.exists()


def test_no_list_leads_out_of_the_report(tmp_path: Path) -> None:
    out, outside = tmp_path / "out", tmp_path / "outside"
    for folder in (out / "in", outside):
        folder.mkdir(parents=True)
    for path in (outside / "a", out / "in/b"):
        path.write_text("mine")
    (out / "link").symlink_to(outside)
    (out / "single").symlink_to(out / "in/b")
    digest = hashlib.sha256(b"mine").hexdigest()
    listed = ["../outside/a", str(outside / "a"), "link/a", "single", "in", "gone", "in/b", "a\0", "x" * 300]
    (out / LIST).write_text(json.dumps({"files": dict.fromkeys(listed, digest)}))
    assert remove_old({}, out) == [out / "in/b"]
    assert (outside / "a").exists()
    (out / LIST).write_text(json.dumps({"files": ["in/b"]}))
    assert remove_old({}, out) == []
    (out / LIST).write_text("{")
    with pytest.raises(UserError, match=r"report-files\.json is damaged"):
        remove_old({}, out)


def test_a_file_that_cannot_be_taken_away_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_report(
        {"a": b"mine", LIST: json.dumps({"files": {"a": hashlib.sha256(b"mine").hexdigest()}}).encode()}, tmp_path
    )

    def refused(path: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refused)
    with pytest.raises(UserError, match=r"cannot take .*a away: Permission denied"):
        remove_old({}, tmp_path)


def test_the_command_writes_one_experiment_and_says_where(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(root)
    words = ["report", "--experiment", "ntm/copy", "--committed", "--out", str(tmp_path)]
    assert main(words) == 0
    assert capsys.readouterr().out.startswith(f"{tmp_path}/ntm/copy.html  (")
    assert [path.name for path in tmp_path.rglob("ntm/*.html")] == ["copy.html"]
    assert {each["experiment"] for each in json.loads((tmp_path / "claims.json").read_text())["claims"]} == {"ntm/copy"}
    assert main(words) == 0
    assert capsys.readouterr().out == f"{tmp_path}/ntm/copy.html  (up to date)\n"
    assert main([*words[:2], "dnc/copy", *words[3:]]) == 0
    # the page, that of the machine which copies, and two pictures of each of its two sweeps
    assert ", 6 files removed)" in capsys.readouterr().out
    assert not (tmp_path / "ntm").exists()
    assert main(["report", "--experiment", "ntm/coppy", "--out", str(tmp_path)]) == 2
    assert "did you mean ntm/copy" in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert main(["report", "--experiment", "ntm/copy", "--out", str(tmp_path / "file")]) == 2
    assert capsys.readouterr().err.startswith("augrnn: error: cannot write")


def test_it_needs_no_torch(root: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from augrnn.cli import main; "
        f"main(['report', '--committed', '--out', {str(tmp_path)!r}]); "
        "assert not {'torch', 'lightning', 'matplotlib'} & set(sys.modules), 'slow'"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_own_results_are_shown_where_nothing_is_committed(root: Path, tmp_path: Path) -> None:
    place, runs = tmp_path / "experiments", tmp_path / "runs"
    source = root / "experiments/ntm/copy"
    shutil.copytree(
        source, place / "ntm/copy", ignore=shutil.ignore_patterns("results", "exhibits", "figures", "sweeps")
    )
    (one,) = shown([place], runs)
    assert {entry.verdict for entry in one.claims} == {"not run"}
    folder = runs / "ntm/copy/smoke"
    folder.mkdir(parents=True)
    shutil.copy(source / "results/smoke.json", folder / "results.json")
    shutil.copy(source / "exhibits/smoke.json", folder / "exhibits.json")
    (one,) = shown([place], runs)
    judged = [entry for entry in one.claims if entry.verdict == "reproduced"]
    assert judged
    assert all(entry.own for entry in judged)
    assert list(one.exhibits["smoke"]) == ["learning", "generalisation", "heads"]
    assert "your own runs" in report_files([one])["index.html"].decode()
    (one,) = shown([place], None)
    assert {entry.verdict for entry in one.claims} == {"not run"}
    (one,) = shown([place, root / "experiments"], None, "ntm/copy")  # the first place's
    assert not one.records


def test_an_exhibit_without_a_chart_is_shown_as_its_picture(committed: list[Shown], tmp_path: Path) -> None:
    (copy,) = [each for each in committed if each.experiment.name == "ntm/copy"]
    (tmp_path / "drawn.png").write_bytes(b"drawn before")
    tables = {name: TextTable(("a",), (("b & c",),)) for name in ("drawn", "not drawn")}
    files = report_files([replace(copy, exhibits={"small": tables, "smoke": {}}, pictures={"small": tmp_path})])
    assert files["pictures/ntm/copy/small/drawn.png"] == b"drawn before"
    assert files["pictures/ntm/copy/small/not drawn.png"].startswith(b"\x89PNG")
    page = files["ntm/copy.html"].decode()
    assert "../pictures/ntm/copy/small/not%20drawn.png" in Links(page).found
    assert 'alt="Columns: a. Each row is one example."' in page


def test_a_broken_record_is_one_line(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(root / "experiments/ntm/copy", tmp_path / "experiments/ntm/copy")
    (tmp_path / "experiments/ntm/copy/results/small.json").write_text("{")
    with pytest.raises(UserError, match=r"small\.json is damaged"):
        shown([tmp_path / "experiments"], None)
