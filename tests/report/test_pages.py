"""The pages of a report in a real browser, opened from the disk."""

from __future__ import annotations

import json
import statistics
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from augrnn.lab.claims import Verdict
from augrnn.report.build import report_files, write_report
from augrnn.report.contents import shown
from tests.report.conftest import EXPERIMENTS

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from augrnn.report.contents import Shown
    from tests.report.conftest import Open

pytestmark = pytest.mark.xdist_group("browser")

PAGES = [*(f"{path.parent.parent.name}/{path.parent.name}.html" for path in EXPERIMENTS.glob("*/*/experiment.py"))]
HOSTILE = "</script><img src=x onerror=\"document.title='run'\"><b>&amp;"


def faults(page: Page) -> list[str]:
    """What axe-core finds on a page that is serious or worse."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    found = axe.Axe().run(page, options={"preload": False}).response["violations"]
    return [
        f"{each['id']}: {node['html'][:160]}"
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"][:3]
    ]


def too_wide(page: Page) -> int:
    """Pixels by which a page is wider than the screen."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def strays(page: Page) -> list[str]:
    """Texts of charts that stand above or below their chart."""
    found: list[str] = page.evaluate(
        """[...document.querySelectorAll("[data-chart] svg")].flatMap((svg) => {
          const { top, bottom } = svg.getBoundingClientRect();
          const stray = ({ top: above, bottom: below }) => above < top - 4 || below > bottom + 4;
          return [...svg.querySelectorAll("text")].filter((each) => stray(each.getBoundingClientRect()));
        }).map((each) => each.textContent)"""
    )
    return found


@pytest.mark.parametrize("name", ["index.html", *sorted(PAGES)])
def test_every_page_opens_without_an_error_and_fits_every_screen(name: str, site: Path, opened: Open) -> None:
    for width in (360, 1440):
        page = opened(site / name, width=width)
        page.wait_for_load_state()
        assert page.locator("h1").count() == 1
        assert too_wide(page) <= 0
        charts = page.locator("[data-chart]:visible")
        assert all(charts.nth(i).locator("svg, canvas").count() for i in range(charts.count()))
        assert strays(page) == []


@pytest.mark.parametrize("name", ["index.html", "ntm/copy.html", "attention/translation.html", "attention/scenes.html"])
@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_no_serious_fault(name: str, dark: bool, site: Path, opened: Open) -> None:
    assert faults(opened(site / name, dark=dark)) == []


def test_the_numbers_on_the_pages_are_those_of_the_records(committed: list[Shown], site: Path, opened: Open) -> None:
    page = opened(site / "index.html")
    rows = page.locator("#claims tbody tr")
    cells = rows.evaluate_all("rows => rows.map(row => [...row.cells].map(cell => cell.textContent))")
    entries = [entry for each in committed for entry in each.claims]
    swept = {sweep for each in committed for sweep in each.experiment.sweeps}
    for (claim, verdict, here, paper, public, scale, _), entry in zip(cells, entries, strict=True):
        folder = "sweeps" if entry.scale in swept else "results"
        record = json.loads(
            (EXPERIMENTS / entry.experiment / folder / f"{entry.scale}.json").read_text() if entry.scale else "null"
        )
        kept = {each["claim"]: Verdict.read(each) for each in record["verdicts"]} if record else {}
        assert entry.sentence in claim
        assert (paper, public) == (entry.paper, entry.public)
        if record:
            assert kept[entry.claim].state in verdict
            assert here == kept[entry.claim].text.replace("; ", "")
            assert scale.startswith(entry.scale)


def test_the_filter_shows_what_is_chosen_and_its_address_can_be_shared(site: Path, opened: Open) -> None:
    page = opened(site / "index.html")
    page.get_by_label("Verdict").select_option("partly")
    page.get_by_label("Paper").select_option("Graves, Wayne, Danihelka 2014")
    rows = page.locator("#claims tbody tr:visible")
    words = rows.locator("[data-verdict]").evaluate_all("all => all.map(each => each.dataset.verdict)")
    assert words
    assert set(words) == {"partly"}
    assert (
        page.locator("output[name=count]").text_content()
        == f"{len(words)} of {page.locator('#claims tbody tr').count()} claims"
    )
    again = opened(site / "index.html", page.url.partition("index.html")[2])
    assert again.locator("#claims tbody tr:visible").count() == len(words)
    again.get_by_label("Words").fill("no such words anywhere")
    assert again.locator("#claims tbody tr:visible").count() == 0


def chart(page: Page, name: str) -> Any:
    return page.locator(f'[data-chart="{name}"]')


def test_one_example_by_several_models_is_chosen_and_shared(site: Path, opened: Open) -> None:
    kept = json.loads((EXPERIMENTS / "act/text/exhibits/small.json").read_text(encoding="utf-8"))
    page = opened(site / "act/text.html")
    one, other = (chart(page, f"small/text@tau-{tau}") for tau in ("0.006", "0.06"))
    assert (one.is_visible(), other.is_visible()) == (True, False)
    page.get_by_label("tau 0.06", exact=True).check()
    assert (one.is_visible(), other.is_visible()) == (False, True)
    other.get_by_label("Byte", exact=True).focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    shown = kept["text@tau-0.06"]
    said = other.locator("p[aria-live]").text_content()
    assert str(said).startswith(f"{shown['text'][3]}: {shown['steps'][3]:g} inner step")
    assert str(said).endswith(f"costs {shown['bits'][3]:.4g} bits")
    again = opened(site / "act/text.html", "#" + page.url.partition("#")[2], width=360, touch=True)
    assert chart(again, "small/text@tau-0.06").locator("p[aria-live]").text_content() == said
    again.get_by_label("all", exact=True).tap()
    assert chart(again, "small/text@tau-0.006").is_visible()
    assert chart(again, "small/text@tau-0.06").is_visible()
    bars = other.locator("svg g[aria-label=bar] rect").count()
    assert bars == len(shown["text"])


def test_a_chart_is_read_off_by_key_mouse_and_as_a_table(site: Path, opened: Open) -> None:
    page = opened(site / "ntm/copy.html")
    box = chart(page, "small/generalisation")
    box.get_by_text("The numbers").click()
    numbers = box.locator("details table tbody tr").evaluate_all(
        "rows => rows.map(r => [...r.cells].map(c => c.textContent))"
    )
    record = json.loads((EXPERIMENTS / "ntm/copy/results/small.json").read_text())
    lstm = [run["measures"]["wrong_bits"] for run in record["runs"] if run["variant"] == "lstm"]
    heads = box.locator("details table thead th").all_text_contents()
    place = heads.index("lstm")
    for row in numbers:
        values = [run[row[0]] for run in lstm]
        assert float(row[place].partition(" ")[0].replace(",", "")) == pytest.approx(
            statistics.median(values), rel=1e-3
        )
    slider = box.get_by_role("slider")
    slider.focus()
    before = box.locator("[aria-live] table").text_content()
    page.keyboard.press("ArrowLeft")
    assert box.locator("[aria-live] table").text_content() != before
    assert "small%2Fgeneralisation=3" in page.url
    svg = box.locator("svg[aria-label]").first
    svg.hover(position={"x": svg.bounding_box()["width"] - 20, "y": 100})
    assert "run" in box.locator('[aria-label="tip"]').text_content()
    lines = box.locator("svg path").count()
    box.get_by_label("lstm", exact=True).uncheck()
    assert box.locator("svg path").count() < lines


@pytest.mark.parametrize("value", ["abc", "-1", "1.5", "1e9", "x+y", "%22%3C"])
def test_an_address_that_means_nothing_is_the_page_as_it_begins(value: str, site: Path, opened: Open) -> None:
    def readings(path: Path, selector: str, fragment: str = "") -> str:
        return opened(path, fragment).locator(selector).first.inner_text()

    places = {
        "ntm/copy.html": ("#small/learning=", "[data-chart='small/learning'] [aria-live]"),
        "try/ntm.html": ("#key={0}&previous={0}&gate=x&shifts={0}&step=", "main"),
        "try/attention.html": ("#sentence={0}&word={0}&way={0}&share={0}&step=", "main"),
    }
    for name, (fragment, selector) in places.items():
        changed = readings(site / name, selector, f"{fragment.format(value)}{value}")
        assert changed == readings(site / name, selector), name


def test_a_trace_is_stepped_by_key_and_touch(site: Path, opened: Open) -> None:
    page = opened(site / "ntm/copy.html", touch=True)
    box = chart(page, "small/heads")
    box.get_by_role("button", name="On").tap()
    box.get_by_role("button", name="On").tap()
    assert "small%2Fheads=2" in page.url
    content = json.loads((EXPERIMENTS / "ntm/copy/exhibits/small.json").read_text())["heads"]
    write = content["write"][2]
    told = box.locator(".beside tr", has_text="write weighting").text_content()
    assert f"row {write.index(max(write))} most: {max(write):.4g}" in told
    page.mouse.wheel(0, 1)
    box.get_by_role("slider").focus()
    page.keyboard.press("End")
    assert f"small%2Fheads={len(content['write']) - 1}" in page.url


def test_words_of_a_translation_show_where_their_weight_goes(site: Path, opened: Open) -> None:
    page = opened(site / "attention/translation.html", touch=True)
    box = chart(page, "small/alignments")
    content = json.loads((EXPERIMENTS / "attention/translation/exhibits/small.json").read_text())["alignments"]
    weights, source, target = content["weights"][0][1], content["sources"][0], content["targets"][0]
    best = max(range(len(source)), key=lambda i: weights[i])
    word = box.locator("[data-side=target]").nth(1)
    for act in (word.tap, word.focus, word.hover):
        page.mouse.move(0, 0)
        act()
        assert box.locator("p[aria-live]").text_content().startswith(f"{target[1]}: {source[best]} {weights[best]:.4g}")
    assert word.get_attribute("aria-pressed") == "true"


def test_words_of_a_caption_light_up_the_picture(site: Path, opened: Open) -> None:
    page = opened(site / "attention/scenes.html", touch=True)
    box = chart(page, "small/overlay-0@hard")
    content = json.loads((EXPERIMENTS / "attention/scenes/exhibits/small.json").read_text())["overlay-0@hard"]
    page.get_by_role("radio", name="hard", exact=True).tap()
    assert box.locator(".shade").is_hidden()
    box.locator(".words button").nth(1).tap()
    assert box.locator(".shade").is_visible()
    drawn = box.locator("canvas").first.evaluate("c => [...c.getContext('2d').getImageData(0, 0, c.width, 1).data]")
    assert [drawn[4 * i : 4 * i + 3] for i in range(len(drawn) // 4)] == content["picture"][0]
    most = max(max(row) for row in content["maps"][1])
    assert f"{content['words'][1]}: most weight, {most:.4g}" in box.locator("p").text_content()


def test_hostile_texts_are_shown_and_never_run(opened: Open, tmp_path: Path) -> None:
    found = shown([EXPERIMENTS], None, "attention/translation")
    (one,) = found
    entry = one.claims[0].model_copy(
        update=dict.fromkeys(
            ("sentence", "here", "needed", "paper", "public", "source", "contested", "citation"), HOSTILE
        )
    )
    exhibits = {scale: dict(each) for scale, each in one.exhibits.items()}
    alignments = exhibits["small"]["alignments"]
    exhibits["small"]["alignments"] = replace(
        alignments, sources=tuple(tuple(HOSTILE for _ in words) for words in alignments.sources)
    )
    experiment = replace(one.experiment, title=HOSTILE, paper=HOSTILE)
    bad = replace(one, experiment=experiment, claims=[entry, *one.claims[1:]], exhibits=exhibits)
    write_report(report_files([bad]), tmp_path)
    for name in ("index.html", bad.page):
        page = opened(tmp_path / name)
        assert HOSTILE in page.locator("main").text_content()
        assert page.locator("img[src=x]").count() == 0
        assert page.title() != "run"
    page = opened(tmp_path / bad.page)
    word = chart(page, "small/alignments").locator("[data-side=source]").first
    word.hover()
    assert HOSTILE in chart(page, "small/alignments").locator("p[aria-live]").text_content()
    assert page.title() != "run"
