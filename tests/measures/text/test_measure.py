"""Kinds of characters, and what they cost, counted one by one on made-up outputs."""

import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from augrnn.cells import ACT, LSTM, PonderNet, Repeat
from augrnn.cells.inner_steps import Pondering
from augrnn.exhibits.exhibit import from_content
from augrnn.measures.measure import measured, previewed
from augrnn.measures.text.figure import PonderedText, signs
from augrnn.measures.text.kinds import KINDS, kinds
from augrnn.measures.text.measure import Seen, TextMeasure, by_kind, pondered
from augrnn.systems.transducer import Transducer
from augrnn.tasks.byte_text import ByteText
from augrnn.tasks.made_up_pages import MadeUpPages
from augrnn.text.made_up_pages import pages_bytes

SHORT = {"s": "space", "F": "first letter", "l": "letter", "p": "punctuation", "d": "digit", "o": "other"}
SHORT |= {"<": "opening bracket", "t": "tag", "i": "identifier"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Well, Prince", "FlllpsFlllll"),
        ("it's 1805.\n", "FloFsddddps"),
        ("caf\xe9 5 < 6 <3", "Fllllsdsosdsod"),  # two bytes in UTF-8; brackets that open no tag
        ("<id>12</id>4", "<tttii<ttttd"),
        ("<sha1>0f</sha1>", "<tttttii<tttttt"),
        ("<id>1 2</id>", "<tttdsd<tttt"),
        ("<text>a b<br /></", "<tttttFsF<tttttoo"),
        ("A<b c='d'>e", "F<ttttttttF"),
        ("", ""),
    ],
)
def test_kinds_on_small_texts(text: str, expected: str) -> None:
    assert [KINDS[number] for number in kinds(text.encode())] == [SHORT[each] for each in expected]


def test_kinds_of_made_up_pages_are_those_that_the_grammar_says() -> None:
    text = pages_bytes(20_000, 0, 0).decode()
    found = np.array(kinds(text.encode()))
    marks = [False] * len(text)
    for match in re.finditer(r"<(id|sha1)>(\w+)</", text):
        marks[match.start(2) : match.end(2)] = [True] * len(match[2])
    assert ((found == KINDS.index("identifier")) == np.array(marks)).all()
    inside, tags = False, []
    for character in text:
        inside = inside or character == "<"
        tags.append(inside)
        inside = inside and character != ">"
    tags[text.rfind("<") :] = [False] * len(text[text.rfind("<") :])  # the last page is cut
    whole = (found == KINDS.index("tag")) | (found == KINDS.index("opening bracket"))
    assert (whole == np.array(tags))[: text.rfind("<")].all()
    assert {KINDS[number] for number in found} == set(KINDS)


@given(st.binary(max_size=60))
def test_every_byte_has_a_kind_whatever_it_is(text: bytes) -> None:
    found = kinds(text)
    assert len(found) == len(text)
    assert all(0 <= number < len(KINDS) for number in found)


def test_means_and_intervals_by_kind() -> None:
    random = np.random.default_rng(1)
    kinds_ST = random.integers(0, 3, (40, 25)).astype(np.int8)
    values_ST = random.normal(size=(40, 25)) + kinds_ST
    found = by_kind(kinds_ST, values_ST)
    assert list(found) == [*KINDS[:3], "all"]
    for number, name in enumerate(KINDS[:3]):
        mean, (low, middle, high) = found[name]
        assert mean == pytest.approx(values_ST[kinds_ST == number].mean())
        assert low < middle < high
        error = values_ST[kinds_ST == number].std() / (kinds_ST == number).sum() ** 0.5
        assert high - low == pytest.approx(2 * 1.96 * error, rel=0.25)  # here sequences are independent of each other
        assert middle == pytest.approx(mean, abs=error / 2)
    assert found["all"][0] == pytest.approx(values_ST.mean())


def test_intervals_are_over_sequences_and_not_over_bytes() -> None:
    kinds_ST = np.zeros((50, 100), dtype=np.int8)
    values_ST = np.random.default_rng(0).normal(size=(50, 1)).repeat(100, axis=1)
    _, (low, _, high) = by_kind(kinds_ST, values_ST)["all"]
    assert high - low == pytest.approx(2 * 1.96 * values_ST[:, 0].std() / 50**0.5, rel=0.25)


def test_a_kind_in_one_sequence_alone_has_a_mean() -> None:
    kinds_ST = np.zeros((4, 3), dtype=np.int8)
    kinds_ST[2, 1] = 5
    values_ST = np.arange(12.0).reshape(4, 3)
    assert by_kind(kinds_ST, values_ST)[KINDS[5]] == (7, [7, 7, 7])


def test_counts_on_made_up_outputs() -> None:
    # What is measured must be what a model that says "the next byte is this one" leaves: nothing but for its mistakes.
    task = MadeUpPages(20, 1000, 1000, test_sequences=30)
    wrong, steps = 7, 3

    def system(batch: Any, keep: Any) -> Any:
        logits = torch.full((20, batch.size, 256), -40.0, dtype=torch.float64)
        logits.scatter_(2, batch.targets.unsqueeze(-1), 40.0)
        logits[wrong] = 0
        return SimpleNamespace(y_TBO=logits, trace=None)

    system.device, system.cell = torch.device("cpu"), Repeat(LSTM(257, 4, 256), steps)  # type: ignore[attr-defined]
    found = TextMeasure().measure(system, task)  # type: ignore[arg-type]
    assert found.exhibits == {}
    assert found.numbers["bits_per_character"]["test"] == pytest.approx(8 / 20)
    assert found.numbers["inner_steps"]["test"] == steps
    text = task.read("test")
    every = [KINDS[number] for number in kinds(text)]
    starts = task.starts("test").tolist()
    for name, each in found.numbers["kinds"]["test"].items():
        places = [(start, t) for start in starts for t in range(20) if name in (every[start + t], "all")]
        assert each["share"] == pytest.approx(len(places) / (20 * len(starts)))
        assert each["bits"] == pytest.approx(sum(8 * (t == wrong) for _, t in places) / len(places), abs=1e-9)
        assert each["steps"] == steps


@pytest.mark.parametrize(
    ("cell", "fewest", "most"),
    [
        (lambda: LSTM(256, 4, 256), 1, 1),
        (lambda: Repeat(LSTM(257, 4, 256), 3), 3, 3),
        (lambda: ACT(LSTM(257, 4, 256), cap=4), 1, 4),
        (lambda: PonderNet(LSTM(257, 4, 256), cap=4), 1, 4),
    ],
)
def test_every_kind_of_cell_is_measured_twice_alike(cell: Any, fewest: float, most: float, tmp_path: Any) -> None:
    torch.manual_seed(0)
    system = Transducer(cell())
    (tmp_path / "text.txt").write_text("Well, Prince, so Genoa and Lucca are now just family estates. " * 20)
    task = ByteText(15, path=tmp_path, held_out=0.2, test_sequences=12)
    first, second = measured(system, task), measured(system, task)
    assert first.numbers == second.numbers
    assert fewest <= first.numbers["inner_steps"]["test"] <= most
    assert first.numbers["bits_per_character"]["test"] == pytest.approx(8, abs=1)
    ponders = isinstance(system.cell, Pondering)
    assert set(first.exhibits) == set(previewed(system, task)) == ({"pondering"} if ponders else set())
    named = {"init_args": {"cell": {"class_path": f"augrnn.cells.{type(system.cell).__name__}"}}}
    assert TextMeasure().previews(named) == ({"pondering": PonderedText} if ponders else {})


def test_the_sequence_with_the_most_kinds_is_shown_by_its_last_bytes() -> None:
    kinds_ST = np.zeros((3, 200), dtype=np.int8)
    kinds_ST[0, :10] = np.arange(10) % 9  # not among those that are shown
    kinds_ST[1, 190:192] = (1, 2)
    kinds_ST[2, 190] = 4
    numbers_ST = np.arange(600).reshape(3, 200)
    shown = pondered(Seen((numbers_ST % 90 + 33).astype(np.uint8), kinds_ST, numbers_ST / 2, numbers_ST * 1.0), "title")
    assert shown.steps.tolist() == list(range(280, 400))
    assert shown.bits.tolist() == [number / 2 for number in range(280, 400)]
    assert shown.text == "".join(chr(number % 90 + 33) for number in range(280, 400))


@pytest.mark.parametrize("length", [0, 1, 60, 61, 120])
def test_a_picture_has_a_bar_for_each_byte(length: int) -> None:
    text = (b"Well,\n Prince \xc3\xa9" * 10)[:length]
    shown = PonderedText("title", signs(text), np.arange(length) % 4 + 1.0, np.full(length, 2.5))
    again = from_content(shown.content())
    figure = again.figure()
    bars = [patch.get_height() for axes in figure.axes for patch in axes.patches]
    assert bars == [number % 4 + 1 for number in range(length)]
    ticks = "".join(label.get_text() for axes in figure.axes[: -(-length // 60)] for label in axes.get_xticklabels())
    assert ticks == ("Well,↵␣Prince␣··" * 10)[:length]
    assert "␣ is a space" in again.caption
