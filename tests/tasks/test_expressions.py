"""Expressions and their answers, which Python's own evaluation gives again from their texts."""

from collections import Counter

import pytest
import torch

from augrnn.errors import UserError
from augrnn.tasks.expressions import SYMBOLS, ExpressionBatch, Expressions


def test_answers_are_what_python_makes_of_the_texts() -> None:
    batch = Expressions().sample(300, 1, 9, 0)
    for text, answer, length in zip(batch.texts(), batch.answers_B.tolist(), batch.lengths_B.tolist(), strict=True):
        assert text.endswith(" =")
        assert len(text.split()) == length
        assert answer == pytest.approx(eval(text[:-1]), rel=1e-5, abs=1e-6)


def test_padding_is_zero_and_changes_no_answer() -> None:
    batch = Expressions().sample(200, 1, 6, 3)
    for b, length in enumerate(batch.lengths_B.tolist()):
        assert (batch.inputs_TBI[length:, b] == 0).all()
        assert (batch.inputs_TBI[:length, b, :-1].sum(-1) == 1).all()
    assert set(batch.lengths_B.tolist()) == {2, 4, 6, 8, 10, 12}


def test_an_answer_is_read_at_its_own_end() -> None:
    batch = Expressions().sample(50, 1, 5, 1)
    outputs = torch.full((10, 50, 1), 99.0)
    outputs[batch.lengths_B - 1, torch.arange(50), 0] = batch.answers_B * (1 + 5e-4)
    assert batch.right(outputs).all()
    outputs[batch.lengths_B - 1, torch.arange(50), 0] += 0.01 * batch.answers_B.abs().clamp_min(1)
    scores = batch.scores(outputs)
    assert (scores["wrong"] == 1).all()
    assert float(scores["error"].min()) > 5e-3


def test_products_are_as_frequent_as_asked_in_training_and_validation_and_even_in_tests() -> None:
    task = Expressions(max_numbers=3, products=0.8, batch_size=20_000, test_numbers=(3,), test_sequences=20_000)

    def share(batch: ExpressionBatch) -> float:
        kinds = batch.inputs_TBI[1::2, :, :-1].argmax(-1)
        operators = kinds[(batch.inputs_TBI[1::2, :, 1:4] == 1).any(-1)]
        return float((operators == SYMBOLS.index("*")).float().mean())

    assert share(task.draw(0)) == pytest.approx(0.8, abs=0.01)
    validation = [share(batch) for batch in Expressions(max_numbers=3, products=0.8).validation_set()]
    assert sum(validation) / len(validation) == pytest.approx(0.8, abs=0.03)
    tested = [share(batch) for batch in task.test_sets()["3"]]
    assert sum(tested) / len(tested) == pytest.approx(1 / 3, abs=0.01)


def test_numbers_operators_and_counts_are_even() -> None:
    many = 30_000
    batch = Expressions().sample(many, 2, 3, 0)
    kinds = Counter(batch.inputs_TBI[1::2, :, :-1].argmax(-1)[0].tolist())
    assert all(abs(kinds[k] - many / 3) < 4 * (many * 2 / 9) ** 0.5 for k in (1, 2, 3))
    assert abs((batch.lengths_B == 4).sum() - many / 2) < 2 * many**0.5
    first = batch.inputs_TBI[0, :, -1]
    assert (float(first.abs().min()), float(first.abs().max())) == (pytest.approx(0.1), pytest.approx(2.0))
    assert abs((first > 0).float().mean() - 0.5) < 2 / many**0.5


def test_streams_are_functions_of_seed_and_number_and_apart() -> None:
    def same(one: ExpressionBatch, other: ExpressionBatch) -> bool:
        return one.inputs_TBI.shape == other.inputs_TBI.shape and torch.equal(one.inputs_TBI, other.inputs_TBI)

    task = Expressions(test_numbers=(4,))
    assert same(task.draw(7), Expressions().draw(7))
    assert not same(task.draw(7), Expressions(seed=1).draw(7))
    assert not same(task.draw(7), task.draw(8))
    assert same(next(iter(task.validation_set())), next(iter(Expressions(seed=1).validation_set())))
    seen = {text for number in range(200) for text in task.draw(number).texts()}
    (batches,) = task.test_sets().values()
    tested = [text for batch in batches for text in batch.texts()]
    assert len(tested) == 1000
    assert not seen & set(tested)


def test_lines_are_read_and_answers_written() -> None:
    codec = Expressions().codec
    lines = ["1.5 - 0.25 * 2", "", "-1+-2*3 =", "2", "1-2"]
    read = list(codec.batches(lines))
    assert [numbers for numbers, _ in read] == [[0], [2], [3], [4]]
    assert [batch.texts() for _, batch in read] == [
        ["1.5 - 0.25 * 2 ="],
        ["-1 + -2 * 3 ="],
        ["2 ="],
        ["1 - 2 ="],
    ]
    assert [float(batch.answers_B) for _, batch in read] == [1.0, -7.0, 2.0, -1.0]
    assert codec.texts(torch.tensor([[[1.0]], [[-2.5]]])) == ["-2.5"]


@pytest.mark.parametrize("line", ["1 +", "1 / 2", "(1 + 2) * 3", "1 2", "+", "1 + x", "1..5", "1 = 2", "١ + 1"])
def test_other_lines_are_refused(line: str) -> None:
    with pytest.raises(UserError, match="line 1 is not of numbers with"):
        list(Expressions().codec.batches([line]))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"max_numbers": 0}, "max_numbers of at least 1"),
        ({"test_numbers": ()}, "needs test_numbers"),
        ({"test_numbers": (0, 4)}, "test_numbers of at least 1"),
        ({"batch_size": 0}, "batch_size of at least 1"),
        ({"products": 1.5}, "products from 0 to 1, not 1.5"),
        ({"products": -0.1}, "products from 0 to 1"),
    ],
)
def test_impossible_sizes_are_refused(options: dict[str, object], told: str) -> None:
    with pytest.raises(UserError, match=told):
        Expressions(**options)  # type: ignore[arg-type]


def test_symbols_have_a_channel_each() -> None:
    assert Expressions.input_size == len(SYMBOLS) + 1
