"""What guessing nets get wrong, against a count of all cases, and against the table that was worked out beforehand."""

from itertools import product

import pytest
import torch

from augrnn.exhibits.exhibit import from_content
from augrnn.measures.logic.figure import BesideGuesses
from augrnn.measures.logic.guesses import wrong_sequences, wrong_steps
from augrnn.tasks.logic import targets


@pytest.mark.parametrize(("kept", "gates"), [(0, 1), (0, 3), (1, 2), (1, 4), (2, 3), (2, 4), (3, 3), (4, 2)])
def test_the_likelier_answer_is_wrong_as_often_as_a_count_of_all_vectors_says(kept: int, gates: int) -> None:
    kinds_BG = torch.tensor(list(product(range(10), repeat=gates)))
    true_BG = torch.ones(1, *kinds_BG.shape, dtype=torch.bool)
    answers = [
        targets(torch.tensor(bits).expand(1, len(kinds_BG), 2), kinds_BG.unsqueeze(0), true_BG)[0]
        for bits in product((0, 1), repeat=2)
    ]
    ones_B = torch.stack(answers).sum(0)
    if kept >= gates:  # it sees the bits as well
        assert wrong_steps(kept, gates) == 0
        return
    ones_AL = ones_B.view(10 ** (gates - kept), 10**kept)  # what came before, and the last gates
    cases = 4 * len(ones_AL)
    wrong_L = torch.minimum(ones_AL.sum(0), cases - ones_AL.sum(0)) / cases
    assert wrong_steps(kept, gates) == pytest.approx(float(wrong_L.double().mean()))


@pytest.mark.parametrize(
    ("kept", "step", "sequence"),
    [(0, 0.5, 0.90), (1, 0.270, 0.74), (2, 0.208, 0.66), (3, 0.160, 0.57), (4, 0.113, 0.45), (5, 0.080, 0.35)],
)
def test_the_papers_mixture(kept: int, step: float, sequence: float) -> None:
    mean = sum(wrong_steps(kept, gates) for gates in range(1, 11)) / 10
    assert mean == pytest.approx(step, abs=6e-4)
    assert wrong_sequences(mean, range(1, 11)) == pytest.approx(sequence, abs=6e-3)


def test_lines_are_drawn_beside_what_is_found() -> None:
    found = {"lstm": [{"1": 0.1, "2": 0.4}, {"1": 0.2, "2": 0.3}]}
    shown = from_content(BesideGuesses(found, "share", "gates", guesses={"a guess": {"1": 0.5, "2": 0.5}}).content())
    assert "are computed: a guess." in shown.caption
    figure = shown.figure()
    (axes,) = figure.axes
    assert any(list(line.get_ydata()) == [0.5, 0.5] for line in axes.lines)
