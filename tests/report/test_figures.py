"""The figures to try: their numbers are those of the cells, and they answer to mouse, keys and touch."""

# N = memory rows, W = row width, S = shifts

from __future__ import annotations

import base64
import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from augrnn.cells import addressing
from augrnn.cells.act import ACT
from augrnn.cells.feedforward import Feedforward
from augrnn.cells.ntm import NTM
from augrnn.cells.rnn import RNN
from augrnn.cells.unroll import unroll
from augrnn.programs.arithmetic import ArithmeticProgram
from augrnn.programs.choices import choosing
from augrnn.report.explore import FIGURES, LIVE, read_model
from augrnn.soft import mix
from augrnn.tasks.expressions import ExpressionCodec, Expressions
from tests.report.test_pages import faults, too_wide

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.report.conftest import Open

pytestmark = pytest.mark.xdist_group("browser")

LENGTH = 20


def weights_of(model: dict[str, Any]) -> dict[str, torch.Tensor]:
    """The numbers that a page carries, as tensors."""
    return {
        name: torch.from_numpy(np.frombuffer(base64.b64decode(each["data"]), dtype="<f4").copy()).view(each["shape"])
        for name, each in model["weights"].items()
    }


def copying_machine() -> NTM:
    model = read_model("copy")
    size = model["cell"]["init_args"]["controller"]["init_args"]["hidden_size"]
    machine = NTM(9, 8, lambda inputs: Feedforward(inputs, size), rows=model["cell"]["init_args"]["rows"])
    machine.load_state_dict(weights_of(model))
    return machine.eval()


def parity_net(name: str) -> ACT:
    net = ACT(RNN(17, 128, 1))
    net.load_state_dict(weights_of(read_model(name)))
    return net.eval()


def bits(text: bytes) -> torch.Tensor:
    """The machine's inputs (T, 1, 9) for a text."""
    inputs = torch.zeros(2 * len(text) + 1, 1, 9)
    for i, byte in enumerate(text):
        inputs[i, 0, :8] = torch.tensor([byte >> (7 - k) & 1 for k in range(8)])
    inputs[len(text), 0, 8] = 1
    return inputs


@pytest.fixture
def ntm(site: Path, opened: Open) -> Page:
    return opened(site / "try/ntm.html")


@pytest.fixture
def parity(site: Path, opened: Open) -> Page:
    return opened(site / "try/parity.html")


@pytest.mark.parametrize("seed", range(20))
def test_the_calculator_gives_the_numbers_of_the_addressing(seed: int, ntm: Page) -> None:
    torch.manual_seed(seed)
    draw = random.Random(seed)
    n, w, s = draw.choice([3, 5, 17, 64]), draw.choice([1, 4, 20]), draw.choice([1, 3])
    memory_NW = torch.randn(n, w, dtype=torch.float64) * (torch.rand(n, 1) < 0.8)
    key_W, previous_N = torch.randn(w, dtype=torch.float64), torch.randn(n, dtype=torch.float64).mul(3).softmax(0)
    strength, gate, gamma = draw.choice([0.1, 1.0, 8.0, 60.0]), draw.random(), draw.choice([1.0, 2.5, 30.0])
    shifts_S = torch.randn(s, dtype=torch.float64).softmax(0)
    erase_W, add_W = torch.rand(w, dtype=torch.float64), torch.randn(w, dtype=torch.float64)
    asked = {
        "key": key_W.tolist(),
        "strength": strength,
        "gate": gate,
        "shifts": shifts_S.tolist(),
        "gamma": gamma,
        "erase": erase_W.tolist(),
        "add": add_W.tolist(),
    }
    found = ntm.evaluate(
        """([memory, previous, asked]) => {
            const found = machines.address(memory, previous, asked);
            return {...found, read: machines.read(memory, found.weighting),
                    after: machines.write(memory, found.weighting, asked.erase, asked.add)};
        }""",
        [memory_NW.tolist(), previous_N.tolist(), asked],
    )
    one = torch.tensor([[1.0]], dtype=torch.float64)
    content = addressing.content_weighting(key_W.view(1, 1, w), strength * one, memory_NW[None])
    gated = addressing.interpolate(content, previous_N.view(1, 1, n), gate * one)
    shifted = addressing.shift(gated, shifts_S.view(1, 1, s))
    weighting = addressing.sharpen(shifted, gamma * one)
    after = addressing.write(memory_NW[None], weighting, erase_W.view(1, 1, w), add_W.view(1, 1, w))
    expected = {
        "content": content[0, 0],
        "gated": gated[0, 0],
        "shifted": shifted[0, 0],
        "weighting": weighting[0, 0],
        "read": mix(weighting, memory_NW[None])[0, 0],
        "after": after[0],
    }
    for name, values in expected.items():
        torch.testing.assert_close(torch.tensor(found[name], dtype=torch.float64), values, rtol=0, atol=1e-6)


@pytest.mark.parametrize("text", [b"a", b"attention", bytes(range(0, 200, 10)), b"\xff" * LENGTH])
def test_the_copying_machine_is_the_cell(text: bytes, ntm: Page) -> None:
    inputs = bits(text)
    found = ntm.evaluate(
        """inputs => new machines.NTM(report.data("models").copy).run(inputs).map(
            step => ({output: step.output, weightings: step.state.weightings, read: step.state.read}))""",
        inputs[:, 0].tolist(),
    )
    with torch.no_grad():
        kept = unroll(copying_machine(), inputs, keep=True)
    pairs = {
        "output": kept.y_TBO[:, 0].sigmoid(),
        "weightings": kept.trace.weighting_BAN[:, 0],
        "read": kept.trace.read_BHW[:, 0, 0],
    }
    for name, expected in pairs.items():
        ours = torch.tensor([step[name] for step in found])
        torch.testing.assert_close(ours, expected, rtol=0, atol=1e-5)


def vectors(count: int) -> list[list[int]]:
    draw = random.Random(3)
    return [[draw.choice([-1, 0, 1]) for _ in range(16)] for _ in range(count)]


@pytest.mark.parametrize("name", ["tau-0.001", "tau-0.01", "tau-0.1"])
def test_the_parity_nets_are_the_cell(name: str, parity: Page) -> None:
    given = vectors(50)
    found = parity.evaluate(
        "([name, vectors]) => vectors.map(v => new machines.ACT(report.data('models')[name]).run(v))", [name, given]
    )
    net = parity_net(name)
    with torch.no_grad():
        kept = unroll(net, torch.tensor(given, dtype=torch.float32)[None], keep=True)
    assert [len(each["steps"]) for each in found] == kept.trace.steps_B[0].int().tolist()
    ours = torch.tensor([each["output"] for each in found])
    torch.testing.assert_close(ours, kept.y_TBO[0, :, 0].sigmoid(), rtol=0, atol=1e-5)
    remainders = torch.tensor([float(each["remainder"]) for each in found])
    torch.testing.assert_close(remainders, kept.trace.remainder_B[0], rtol=0, atol=1e-5)


def test_the_weights_are_few() -> None:
    assert {path.stem for path in LIVE.glob("*.json")} == {name for figure in FIGURES for name in figure.models}
    networks = [model for path in LIVE.glob("*.json") if "weights" in (model := read_model(path.stem))]
    assert len(networks) == 5
    for model in networks:
        assert sum(4 * tensor.numel() for tensor in weights_of(model).values()) < 100_000


def answer(page: Page) -> str:
    return str(page.locator("#answer").text_content())


@pytest.mark.parametrize("text", ["Turing", "soft attention, hard"])
def test_what_is_typed_comes_back(text: str, ntm: Page) -> None:
    ntm.get_by_label("Type up to 20 letters").fill(text)
    assert answer(ntm) == f"It gives back: {text} with 0 of {8 * len(text)} bits wrong."


def reading(page: Page, name: str) -> str:
    return str(page.locator(f"#reading-{name}").text_content())


def most(weights: Sequence[float]) -> str:
    best = int(np.argmax(weights))
    return f"most at row {best}: {weights[best]:.4g}"


def test_the_calculator_starts_from_the_machine_and_follows_every_control(ntm: Page, site: Path, opened: Open) -> None:
    with torch.no_grad():
        kept = unroll(copying_machine().double(), bits(b"attention").double(), keep=True)
    trace = kept.trace.weighting_BAN[:, 0]
    ntm.get_by_label("Head", exact=True).select_option("write head")
    ntm.get_by_label("Step in time", exact=True).focus()
    ntm.keyboard.press("Home")
    for _ in range(4):
        ntm.keyboard.press("ArrowRight")
    assert reading(ntm, "weighting") == most(trace[4, 1].tolist())
    ntm.get_by_label("Head", exact=True).select_option("read head")
    assert reading(ntm, "weighting") == most(trace[4, 0].tolist())
    ntm.get_by_label("Previous weighting", exact=True).fill("7")
    ntm.get_by_label("Gate g", exact=True).fill("0")
    assert reading(ntm, "gated") == "most at row 7: 1"
    ntm.get_by_label("Shift by +1", exact=True).fill("1")
    ntm.get_by_label("Shift by +1", exact=True).press("ArrowLeft")
    assert reading(ntm, "shifted") == "most at row 8: 0.99"
    ntm.get_by_label("Shift by +1", exact=True).press("ArrowRight")
    ntm.get_by_label("Previous weighting", exact=True).fill("63")
    assert reading(ntm, "weighting") == "most at row 0: 1"  # around the end
    again = opened(site / "try/ntm.html", "#" + ntm.url.partition("#")[2])
    for name in ("similarity", "content", "gated", "shifted", "weighting"):
        assert reading(again, name) == reading(ntm, name)
    ntm.get_by_role("button", name="As the machine had it").click()
    assert reading(ntm, "weighting") == most(trace[4, 0].tolist())


def test_a_row_is_chosen_by_touch(site: Path, opened: Open) -> None:
    page = opened(site / "try/ntm.html", "#head=0", width=360, touch=True)
    chart = page.get_by_label("Previous weighting, for each memory row", exact=True)
    box = chart.bounding_box()
    chart.tap(position={"x": 40 + (box["width"] - 60) * 0.5, "y": 50})
    assert page.get_by_label("Previous weighting", exact=True).input_value() in ("31", "32")


def test_a_vector_is_set_by_hand_and_its_address_can_be_shared(parity: Page, site: Path, opened: Open) -> None:
    cells = parity.get_by_role("group", name="The vector").get_by_role("button")
    for i in range(16):
        while cells.nth(i).text_content() != "0":
            cells.nth(i).click()
    cells.nth(0).focus()
    parity.keyboard.press("Enter")
    cells.nth(5).press(" ")
    cells.nth(9).press(" ")
    vector = [0] * 16
    for i in (0, 5, 9):
        vector[i] = {"1": 1, "−1": -1}[cells.nth(i).text_content() or ""]
    with torch.no_grad():
        kept = unroll(parity_net("tau-0.001"), torch.tensor([[vector]], dtype=torch.float32), keep=True)
    steps, says = int(kept.trace.steps_B[0, 0]), "odd" if kept.y_TBO[0, 0, 0] > 0 else "even"
    assert answer(parity).startswith(f"After {steps} steps it says {says}")
    again = opened(site / "try/parity.html", "#" + parity.url.partition("#")[2])
    assert answer(again) == answer(parity)
    parity.get_by_label("Network", exact=True).select_option("trained with time penalty 0.1")
    assert answer(parity).startswith("After 1 step it says")


@pytest.fixture
def attention(site: Path, opened: Open) -> Page:
    return opened(site / "try/attention.html", "#way=own&word=0&step=0")


def shown_numbers(page: Page) -> list[list[str]]:
    """The table of the next unit's probabilities, row by row."""
    rows = page.get_by_role("group", name="Probabilities of the next unit").locator("tbody tr")
    return [rows.nth(i).locator("td").all_text_contents() for i in range(rows.count())]


def expected(own: list[Any], now: list[Any]) -> list[list[str]]:
    told = [dict(own), dict(now)]
    return [
        [unit.replace("▁", ""), *("less" if unit not in each else plain(each[unit]) for each in told)]
        for unit in dict.fromkeys([*told[0], *told[1]])
    ]


def plain(value: float) -> str:
    return f"{value:.4g}" if value == 0 or abs(value) >= 1e-3 else f"{value:.2e}".replace("e-0", "e-")


def test_what_a_translator_says_when_its_attention_is_moved_is_what_was_computed(attention: Page) -> None:
    told = read_model("rnnsearch")["sentences"][0]
    words = attention.locator("[data-side=source]")
    for word, step in ((4, 4), (6, 5), (0, len(told["target"]) - 1)):
        words.nth(word).click()
        attention.locator("[data-side=target]").nth(step).click()
        own = told["own"]["next"][step]
        attention.get_by_label("as it is", exact=True).check()
        assert shown_numbers(attention) == [row[:2] for row in expected(own, own)]
        attention.get_by_label(f"kept off “{told['source'][word]}”").check()
        assert shown_numbers(attention) == expected(own, told["without"][word]["next"][step])
        assert f"it translates: {told['without'][word]['text']}" in answer(attention)
        attention.get_by_label("Share of the weight").focus()
        attention.keyboard.press("Home")  # no share: as it is
        assert shown_numbers(attention) == [row[:2] for row in expected(own, own)]
        for share in told["pulled"][word]:
            attention.keyboard.press("ArrowRight")
            assert shown_numbers(attention) == expected(own, share[step])
        best, chance = told["pulled"][word][-1][step][0]
        assert answer(attention).endswith(f"is {best.replace('▁', '')} ({plain(chance)}).")


def test_where_a_translator_looks_is_seen_and_shared(attention: Page, site: Path, opened: Open) -> None:
    attention.get_by_label("Sentence", exact=True).select_option(index=1)
    attention.locator("[data-side=source]").nth(1).focus()
    attention.keyboard.press("Enter")
    assert (
        attention.evaluate("document.activeElement.textContent") == read_model("rnnsearch")["sentences"][1]["source"][1]
    )
    attention.get_by_label("kept off", exact=False).check()
    changed = attention.locator("[data-side=target]").all_text_contents()
    told = read_model("rnnsearch")["sentences"][1]
    best = [
        [steps[0][0].replace("▁", "") for steps in each] for each in (told["own"]["next"], told["without"][1]["next"])
    ]
    units = [unit.replace("▁", "") for unit in told["target"]]
    assert changed == [
        unit if before == after else f"{unit} → {after}" for unit, before, after in zip(units, *best, strict=True)
    ]
    again = opened(site / "try/attention.html", "#" + attention.url.partition("#")[2])
    assert answer(again) == answer(attention)


@pytest.mark.parametrize(
    ("network", "name"), [("rnnenc", "without attention"), ("untrained", "with attention, untrained")]
)
def test_a_network_with_nothing_to_move_offers_nothing(network: str, name: str, attention: Page) -> None:
    attention.get_by_label("Network").select_option(name)
    told = read_model(network)["sentences"][0]
    assert attention.get_by_label("kept off", exact=False).is_disabled()
    assert attention.get_by_label("Share of the weight").is_disabled()
    assert told["text"] in answer(attention)
    arcs = attention.get_by_label("Arcs from each word").locator("path").count()
    assert arcs == sum(weight >= 0.02 for row in told["own"]["weights"] for weight in row)


def test_a_word_is_chosen_by_touch(site: Path, opened: Open) -> None:
    page = opened(site / "try/attention.html", "#way=off", width=360, touch=True)
    page.locator("[data-side=source]").nth(1).tap()
    assert f"kept off {read_model('rnnsearch')['sentences'][0]['source'][1]}" in answer(page)


@pytest.fixture
def arithmetic(site: Path, opened: Open) -> Page:
    return opened(site / "try/arithmetic.html")


def program() -> ArithmeticProgram:
    cell = ArithmeticProgram(6, 32, 2)
    cell.load_state_dict(weights_of(read_model("arithmetic")))
    return cell.eval()


def test_the_program_is_the_cell(arithmetic: Page) -> None:
    batch = Expressions(max_numbers=8, test_numbers=(8,)).sample(20, 1, 8, 2, 0)
    lengths = batch.lengths_B.tolist()
    given = [
        [{"kind": int(row[:5].argmax()), "number": float(row[5])} for row in batch.inputs_TBI[:length, i]]
        for i, length in enumerate(lengths)
    ]
    found = arithmetic.evaluate(
        "given => given.map(symbols => new machines.Arithmetic(report.data('models').arithmetic).run(symbols))", given
    )
    cell = program()
    runs = {}
    for way in ("soft", "hard"):
        with torch.no_grad(), choosing(cell, hard=way == "hard"):
            runs[way] = unroll(cell, batch.inputs_TBI, keep=True)
    trace = runs["soft"].trace
    for i, length in enumerate(lengths):
        for name, kept in (("operation", trace.operation_BV), ("left", trace.left_BK), ("right", trace.right_BK)):
            ours = torch.tensor([step[name] for step in found[i]])
            torch.testing.assert_close(ours, kept[:length, i], rtol=0, atol=1e-5)
        for way, unrolled in runs.items():
            results = torch.tensor([step[way] for step in found[i]])
            torch.testing.assert_close(results, unrolled.y_TBO[:length, i, 0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("line", ["1.5 - 0.25 * 2", "2*3*-1-4*0.5 =", "-0.1", "1" + " + 0.5 * 2" * 9])
def test_an_expression_that_is_typed_is_answered(line: str, arithmetic: Page) -> None:
    arithmetic.get_by_label("An expression with +, - and *").fill(line)
    ((_, batch),) = ExpressionCodec().batches([line])
    cell = program()
    with torch.no_grad(), choosing(cell, hard=True):
        answered = float(unroll(cell, batch.inputs_TBI).y_TBO[-1, 0, 0])
    truth = float(batch.answers_B[0])
    assert answer(arithmetic) == f"It answers {plain(answered)}. The expression comes to {plain(truth)}: right."
    buttons = arithmetic.get_by_role("group", name="The symbols").get_by_role("button")
    assert buttons.count() == int(batch.lengths_B[0])


def test_a_program_is_followed_by_mouse_keys_and_address(arithmetic: Page, site: Path, opened: Open) -> None:
    arithmetic.get_by_role("button", name="step 5: 2").click()
    step = arithmetic.locator("#step")
    assert "Step 5 reads 2 and does: multiply 2 steps ago and 2. Soft result -0.5" in str(step.text_content())
    arithmetic.get_by_label("Step", exact=True).focus()
    arithmetic.keyboard.press("ArrowLeft")
    assert str(step.text_content()).startswith("Step 4 reads ×")
    again = opened(site / "try/arithmetic.html", "#" + arithmetic.url.partition("#")[2], touch=True)
    assert again.locator("#step").text_content() == step.text_content()
    again.get_by_role("button", name="step 1: 1.5").tap()
    assert "Step 1 reads 1.5 and does: keep 1.5" in str(again.locator("#step").text_content())


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "Numbers with"),
        ("1 / 2", "Numbers with"),
        ("<b>1</b>", "Numbers with"),
        ("1" + "+1" * 30, "Up to 30 numbers, please: these are 31."),
    ],
)
def test_what_is_no_expression_is_told(line: str, said: str, arithmetic: Page) -> None:
    arithmetic.get_by_label("An expression with +, - and *").fill(line)
    assert answer(arithmetic).startswith(said)
    assert arithmetic.get_by_label("Step", exact=True).is_disabled()


@pytest.fixture
def questions(site: Path, opened: Open) -> Page:
    return opened(site / "try/questions.html")


def test_questions_are_told_whole_and_without_each_word() -> None:
    model = read_model("questions")
    for question in model["questions"]:
        table = model["tables"][question["table"]]
        for told in question["told"]:
            assert len(told) == 1 + len(question["words"])
            for answered in told:
                for step in answered["steps"]:
                    assert sum(step["operations"]) == pytest.approx(1, abs=0.01)
                    assert sum(step["columns"]) == pytest.approx(1, abs=0.01)
                    assert len(step["columns"]) == len(table["header"])
                    assert {step["column"]} <= {"", *table["header"]}
                    assert set(step["rows"]) <= set(range(len(table["rows"])))
                    assert len(step["soft"]) == len(table["rows"])
                    assert all(0 <= share <= 1 for share in step["soft"])


@pytest.mark.parametrize(("number", "order", "left"), [(0, 0, -1), (0, 1, 3), (3, 0, 5), (6, 1, -1), (8, 0, 0)])
def test_a_question_is_answered_as_the_program_did(number: int, order: int, left: int, questions: Page) -> None:
    model = read_model("questions")
    question = model["questions"][number]
    told = question["told"][order][left + 1]
    questions.get_by_label("Question", exact=True).select_option(index=number)
    questions.get_by_label("Rows", exact=True).select_option(index=order)
    words = questions.get_by_role("group", name="The words of the question").get_by_role("button")
    assert words.all_text_contents() == question["words"]
    if left >= 0:
        words.nth(left).click()
    kept = " ".join(word for place, word in enumerate(question["words"]) if place != left)
    right = "right" if told["answer"] == question["answer"] else "wrong"
    assert answer(questions) == (
        f"Asked “{kept}?”, it answers {told['answer']}. "
        f"The right answer to the whole question is {question['answer']}: {right}."
    )
    rows = model["tables"][question["table"]]["rows"][:: -1 if order else 1]
    steps = questions.get_by_role("group", name="The steps of the program").get_by_role("button")
    selected = list(range(len(rows)))
    for place, step in enumerate(told["steps"]):
        steps.nth(place).click()
        best = model["operations"][np.argmax(step["operations"])]
        done = f"{best} of {step['column']}" if step["column"] else best
        assert steps.nth(place).text_content() == f"{place + 1}. {done}"
        assert str(questions.locator("#step").text_content()).startswith(f"Step {place + 1} does: {done} (")
        lit = questions.locator("tr.selected").all_text_contents()
        assert lit == ["".join(rows[row]) for row in selected]
        shown = questions.get_by_role("img", name="Operation").get_attribute("aria-label")
        assert f"{best} {plain(max(step['operations']))}" in str(shown)
        selected = step["rows"]
    assert questions.locator("td.printed").all_text_contents() == [rows[row][column] for row, column in told["cells"]]
    if left >= 0:
        words.nth(left).click()
        assert question["told"][order][0]["answer"] in answer(questions)


def test_soft_choices_select_rows_in_part(questions: Page) -> None:
    model = read_model("questions")
    told = model["questions"][3]["told"][0][0]
    questions.get_by_label("Question", exact=True).select_option(index=3)
    questions.get_by_label("Choices", exact=True).select_option(index=1)
    last, before = told["steps"][-1], told["steps"][-2]["soft"]
    rows = questions.locator("#figure tbody tr")
    shares = rows.evaluate_all("rows => rows.map(row => row.style.getPropertyValue('--share'))")
    assert [float(share) for share in shares] == before
    printed = [last["operations"][-1] * last["columns"][column] * share for share in before for column in range(5)]
    shown = questions.locator("#figure td").all_text_contents()
    told_cells = [float(text.rpartition("(")[2].strip(")")) if text.endswith(")") else None for text in shown]
    assert [chance is not None for chance in told_cells] == [chance >= 0.02 for chance in printed]
    pairs = [(one, other) for one, other in zip(told_cells, printed, strict=True) if one is not None]
    assert all(one == pytest.approx(other, abs=0.006) for one, other in pairs)
    questions.get_by_role("group", name="The steps of the program").get_by_role("button").nth(2).click()
    assert f"After it {round(sum(before), 2):g} rows" in str(questions.locator("#step").text_content())


def test_a_question_is_followed_by_keys_touch_and_address(questions: Page, site: Path, opened: Open) -> None:
    questions.get_by_label("Question", exact=True).select_option(index=5)
    word = questions.get_by_role("button", name="longest")
    word.focus()
    questions.keyboard.press("Enter")
    assert questions.evaluate("document.activeElement.textContent") == "longest"
    questions.get_by_label("Step", exact=True).focus()
    questions.keyboard.press("Home")
    step = str(questions.locator("#step").text_content())
    assert step.startswith("Step 1 does")
    again = opened(site / "try/questions.html", "#" + questions.url.partition("#")[2], width=360, touch=True)
    assert (answer(again), again.locator("#step").text_content()) == (answer(questions), step)
    again.get_by_role("button", name="4. ").tap()
    assert str(again.locator("#step").text_content()).startswith("Step 4 does")


@pytest.mark.parametrize("name", [figure.path for figure in FIGURES])
@pytest.mark.parametrize("dark", [False, True])
def test_the_figures_fit_every_screen_and_every_reader(name: str, dark: bool, site: Path, opened: Open) -> None:
    for width in (360, 1440):
        page = opened(site / name, width=width, dark=dark)
        assert too_wide(page) <= 0
    assert faults(page) == []
