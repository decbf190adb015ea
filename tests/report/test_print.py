"""The report as a PDF."""

from __future__ import annotations

import os
import re
import stat
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from augrnn.cli import main
from augrnn.errors import UserError
from augrnn.report.browser import CHOSEN, NAMES, browser, printed
from augrnn.report.build import asset_files, pictures, report_files, write_report
from augrnn.report.html import element
from augrnn.report.print_page import chapters, print_page
from tests.report.test_report import Links

if TYPE_CHECKING:
    from augrnn.report.contents import Shown
    from tests.report.conftest import Open


def some(committed: list[Shown], *names: str) -> list[Shown]:
    return [each for each in committed if each.experiment.name in names]


def written(shown: list[Shown], folder: Path) -> Path:
    """The page that is printed of some experiments, the first page before them."""
    page = print_page(*chapters(shown, first_page=True)).encode()
    write_report({"pages/print.html": page, **asset_files(), **pictures(shown)}, folder)
    return folder / "pages/print.html"


@pytest.fixture
def program() -> str:
    """A browser that prints."""
    try:
        return browser()
    except UserError as error:
        pytest.skip(str(error))


def test_all_pages_are_one_whose_links_lead_somewhere(committed: list[Shown], tmp_path: Path) -> None:
    path = written(committed, tmp_path)
    text = path.read_text(encoding="utf-8")
    links = Links(text)
    assert len(set(links.ids)) == len(links.ids)
    for link in links.found:
        if link.startswith("#"):
            assert link[1:] in links.ids, link
        elif not link.startswith("https://"):
            assert (path.parent / link).is_file(), link
    places = [link for link in links.found if link.startswith("#ntm/copy/")]
    assert len(places) >= len(some(committed, "ntm/copy")[0].claims)
    assert "<details>" not in text
    for each in committed:
        assert text.count(element("h1", each.experiment.title)) == 1


@pytest.mark.xdist_group("browser")
def test_what_is_printed_is_light_without_controls_and_has_every_chart(
    committed: list[Shown], tmp_path: Path, opened: Open
) -> None:
    page = opened(written(some(committed, "ntm/copy", "attention/reversal"), tmp_path), dark=True)
    page.emulate_media(media="print", color_scheme="dark")
    charts = page.locator("[data-chart]")
    assert charts.count() > 5
    assert all(charts.nth(i).locator("svg, canvas").count() for i in range(charts.count()))
    for hidden in ("form", "input", "select", ".controls button", "details:not([open])", "header"):
        assert page.locator(f"{hidden}:visible").count() == 0, hidden
    assert page.locator(".controls label:visible").count()  # the legends
    assert page.locator("[data-side=source]:visible").count()  # words are no controls
    colours = page.evaluate("[document.documentElement, document.body].map(each => getComputedStyle(each).color)")
    assert set(colours) == {"rgb(31, 35, 40)"}
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"


@pytest.mark.xdist_group("browser")
def test_the_pdf_has_every_experiment_with_its_charts_and_no_path_of_this_machine(
    committed: list[Shown], tmp_path: Path, program: str
) -> None:
    shown = some(committed, "dnc/copy", "attention/reversal")
    content = printed(written(shown, tmp_path), program)
    titles = re.findall(rb"/Title \(([^)]*)\)", content)  # the outline: headings
    for each in shown:
        assert each.experiment.title.encode() in titles
    assert b"Every claim" in titles
    drawn = len(re.findall(rb"/Alt \((?:Chart|Map|Matrix)", content))  # scripts have drawn them
    assert drawn >= sum(len(each.exhibits[scale]) for each in shown for scale in each.exhibits)
    pages = len(re.findall(rb"/Type /Page\b", content))
    assert pages >= 2 + 2 * len(shown)
    assert b"file://" not in content
    assert str(tmp_path).encode() not in content
    assert b"/URI (https://distill.pub" in content


@pytest.mark.xdist_group("browser")
def test_the_command_prints_a_comparison_and_leaves_the_pdf_alone(
    root: Path,
    tmp_path: Path,
    program: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(root)
    out, pdf = tmp_path / "out", tmp_path / "mine" / "a b.pdf"
    words = ["report", "--committed", "--out", str(out), "--compare", "dnc/copy", "ntm/copy:lstm", "--pdf"]
    assert main([*words, str(pdf)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(pdf)
    content = pdf.read_bytes()
    assert content.startswith(b"%PDF")
    assert b"/Title (dnc/copy and ntm/copy:lstm)" in content
    assert b"/Alt (Chart: val/cost_bits" in content
    assert {path.name for path in out.iterdir()} == {"assets", "compare"}
    assert not list(out.rglob("*.pdf"))


def test_without_a_browser_it_says_which_were_looked_for(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(root)
    monkeypatch.delenv(CHOSEN, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    words = ["report", "--committed", "--experiment", "dnc/copy", "--out", str(tmp_path / "out"), "--pdf"]
    assert main(words) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert ", ".join(NAMES) in said
    monkeypatch.setenv(CHOSEN, "nowhere")
    assert main(words) == 2
    assert capsys.readouterr().err == f"augrnn: error: {CHOSEN} names nowhere, and there is no such program\n"
    assert not (tmp_path / "out").exists()


def test_names_with_any_signs_keep_their_links(committed: list[Shown], tmp_path: Path) -> None:
    odd = 'pa per/50%25 #1 "x"&<b>\'ü'
    ((one,), two) = some(committed, "ntm/copy"), some(committed, "dnc/copy")
    claims = [replace(each, name=f"{each.name} %#\"'&") for each in one.experiment.claims]
    renamed = replace(
        one,
        experiment=replace(one.experiment, name=odd, claims=tuple(claims)),
        claims=[each.model_copy(update={"experiment": odd, "claim": f"{each.claim} %#\"'&"}) for each in one.claims],
    )
    links = Links(written([renamed, *two], tmp_path).read_text(encoding="utf-8"))
    for link in links.found:
        assert not link.startswith("#") or unquote(link[1:]) in links.ids, link
    places = {unquote(link[1:]) for link in links.found}
    assert {f"{odd}/{each.name}" for each in claims} <= places
    site = tmp_path / "site"
    write_report(report_files([renamed, *two]), site)
    for path in (site / "index.html", site / f"{odd}.html"):
        for link in Links(path.read_text(encoding="utf-8")).found:
            file, _, place = link.partition("#")
            if not link.startswith("https://"):
                target = path.parent / unquote(file) if file else path
                assert not place or unquote(place) in Links(target.read_text(encoding="utf-8")).ids, link


def test_a_folder_is_no_file_to_print_to(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(root)
    for folder in (".", "", "/", "..", str(tmp_path)):
        assert main(["report", "--experiment", "dnc/copy", "--out", str(tmp_path / "out"), "--pdf", folder]) == 2
        said = capsys.readouterr().err
        assert said == f"augrnn: error: --pdf needs the name of a file, and {folder or '.'} is a folder\n"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ('for each in "$@"; do case "$each" in *dir=*) rm -r "${each#*=}"; echo > "${each#*=}";; esac; done', "no PDF"),
        ("echo first >&2; echo it broke >&2; exit 3", "gave no PDF, exit status 3: it broke"),
        ("exit 0", "gave no PDF, exit status 0"),
        ('for each in "$@"; do case "$each" in --print-to-pdf=*) echo no > "${each#*=}";; esac; done', "gave no PDF"),
    ],
)
def test_a_browser_that_prints_nothing_is_one_line(
    script: str,
    told: str,
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(root)
    program = tmp_path / "browser"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv(CHOSEN, str(program))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    out = tmp_path / "out"
    assert main(["report", "--committed", "--experiment", "dnc/copy", "--out", str(out), "--pdf"]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1
    assert not [path for path in out.iterdir() if path.name.startswith("print-")]
    assert not list(out.rglob("*.pdf"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_one_line(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], program: str
) -> None:
    monkeypatch.chdir(root)
    words = ["report", "--committed", "--experiment", "dnc/copy", "--out", str(tmp_path)]
    assert main(words) == 0
    tmp_path.chmod(0o500)
    assert main([*words, "--pdf"]) == 2
    assert "cannot write in" in capsys.readouterr().err
