"""What a machine in training shows of itself on each task, always of validation data."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import pytest
import torch

from augrnn.cells.cell import Cell
from augrnn.cells.dnc import DNC
from augrnn.cells.lstm import LSTM, GravesLSTM
from augrnn.cells.ntm import NTM
from augrnn.measures.media import NOTHING, heads_of, media
from augrnn.systems.transducer import Transducer
from augrnn.tasks.associative_recall import AssociativeRecall
from augrnn.tasks.bit_task import BitBatch, BitTask, Size
from augrnn.tasks.copy import Copy
from augrnn.tasks.dynamic_ngrams import DynamicNGrams
from augrnn.tasks.priority_sort import PrioritySort
from augrnn.tasks.repeat_copy import RepeatCopy

TASKS = {
    "copy": Copy(width=3, max_length=4, validation_sequences=64),
    "repeat copy": RepeatCopy(width=3, max_length=3, max_repeats=3, validation_sequences=64),
    "associative recall": AssociativeRecall(width=3, vectors=2, max_items=4, validation_sequences=64),
    "priority sort": PrioritySort(width=3, vectors=5, sorted_vectors=4, validation_sequences=64),
    "dynamic N-grams": DynamicNGrams(order=2, length=12, validation_sequences=64),
}
STACK = ["inputs", "outputs", "write weighting", "read weighting"]
TITLES = {
    "copy": ["input", "output", "add vectors", "read vectors", "write weighting", "read weighting"],
    "repeat copy": STACK,
    "associative recall": STACK,
    "priority sort": ["write location", "write weighting", "read weighting"],
    "dynamic N-grams": ["", "write weighting", "read weighting"],
}


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.fixture(autouse=True)
def _no_test_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*arguments: object) -> None:
        raise AssertionError("a test set was drawn from")

    monkeypatch.setattr(BitTask, "evaluation_set", refused)


def machine(task: BitTask, heads: int = 2) -> Transducer:
    torch.manual_seed(0)
    cell = NTM(task.input_size, task.output_size, lambda size: LSTM(size, 8), heads=heads, rows=8, width=5)
    return Transducer(cell).eval()


@pytest.mark.parametrize("heads", [1, 2])
@pytest.mark.parametrize("name", TASKS)
def test_each_task_has_its_own_picture(name: str, heads: int) -> None:
    figures, tables = media(machine(TASKS[name], heads), TASKS[name])
    assert list(figures) == ["heads"]
    assert not tables
    assert [axes.get_title().split(",")[0] for axes in figures["heads"].axes] == TITLES[name]


def test_repetitions_are_marked_where_the_validation_sequence_has_them() -> None:
    task = TASKS["repeat copy"]
    inputs_TI = task.evaluation_example().inputs_TBI[:, 0]
    (delimiter,) = inputs_TI[:, 3].nonzero()[:, 0].tolist()
    lines = [line.get_xdata()[0] + 0.5 for line in media(machine(task), task).figures["heads"].axes[1].lines]
    assert lines == list(range(delimiter + 1, len(inputs_TI), delimiter))


def test_items_are_framed_where_the_validation_sequence_has_them() -> None:
    task = TASKS["associative recall"]
    batch = task.evaluation_example()
    figure = media(machine(task), task).figures["heads"]
    spans = [(int(patch.get_x() + 0.5), int(patch.get_width())) for patch in figure.axes[0].patches]
    (listed, given, answer), bits_TO = ((slice(x, x + width) for x, width in spans), batch.inputs_TBI[:, 0, :3])
    assert torch.equal(bits_TO[listed], bits_TO[given])
    assert torch.equal(bits_TO[answer], batch.targets_TBO[-2:, 0])


class Other(BitTask):
    """A task that no picture is written for."""

    input_size = output_size = 2

    def __init__(self) -> None:
        super().__init__(4, 1, 32, ((3,),), 4, 0)

    def random_size(self, *seed: int) -> Size:
        return (3,)

    def sample(self, batch_size: int, size: Size, *seed: int) -> BitBatch:
        bits_TBO = torch.ones(3, batch_size, 2)
        return BitBatch(bits_TBO, bits_TBO, torch.ones(3, batch_size))


def test_a_task_without_a_picture_of_its_own_shows_its_steps_undivided() -> None:
    with torch.no_grad():
        figure = heads_of(Other(), machine(Other()))
    assert [axes.get_title() for axes in figure.axes] == STACK
    assert all(axes.get_images()[0].get_array().shape[1] == 3 for axes in figure.axes)


@pytest.mark.parametrize(
    "cell",
    [GravesLSTM(9, 8, 6), LSTM(9, 6, 8), DNC(9, 8, lambda size: LSTM(size, 6), read_heads=1, rows=8, width=4)],
    ids=lambda cell: type(cell).__name__,
)
def test_a_cell_without_such_heads_shows_nothing(cell: Cell) -> None:
    assert media(Transducer(cell).eval(), Copy()) == NOTHING
