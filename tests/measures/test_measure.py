"""What a machine in training shows of itself on each task, always of validation data."""

import lightning as L
import pytest
import torch

from augrnn.cells.cell import Cell
from augrnn.cells.dnc import DNC
from augrnn.cells.lstm import LSTM, GravesLSTM
from augrnn.cells.ntm import NTM
from augrnn.errors import UserError
from augrnn.exhibits.memory_trace import MemoryTrace
from augrnn.measures.copy.figure import CopyTrace
from augrnn.measures.dynamic_ngrams.figure import NgramTrace
from augrnn.measures.measure import Measure, measure_of, measured, previewed
from augrnn.measures.priority_sort.figure import SortedWrites
from augrnn.systems.transducer import Transducer
from augrnn.tasks.associative_recall import AssociativeRecall
from augrnn.tasks.bit_task import BitTask
from augrnn.tasks.copy import Copy
from augrnn.tasks.dynamic_ngrams import DynamicNGrams
from augrnn.tasks.priority_sort import PrioritySort
from augrnn.tasks.repeat_copy import RepeatCopy
from augrnn.tasks.task import Task

TASKS = {
    "copy": Copy(width=3, max_length=4, validation_sequences=64),
    "repeat copy": RepeatCopy(width=3, max_length=3, max_repeats=3, validation_sequences=64),
    "associative recall": AssociativeRecall(width=3, vectors=2, max_items=4, validation_sequences=64),
    "priority sort": PrioritySort(width=3, vectors=5, sorted_vectors=4, validation_sequences=64),
    "dynamic N-grams": DynamicNGrams(order=2, length=12, validation_sequences=64),
}
KINDS = {
    "copy": CopyTrace,
    "repeat copy": MemoryTrace,
    "associative recall": MemoryTrace,
    "priority sort": SortedWrites,
    "dynamic N-grams": NgramTrace,
}


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
def test_each_task_has_its_own_kind(name: str, heads: int) -> None:
    system = machine(TASKS[name], heads)
    found = previewed(system, TASKS[name])
    assert {name: type(each) for name, each in found.items()} == {"heads": KINDS[name]}
    assert found["heads"].title.startswith("one validation")
    described = {"init_args": {"cell": {"class_path": "augrnn.cells.ntm.NTM"}}}
    assert measure_of(type(TASKS[name])).previews(described) == {"heads": KINDS[name]}


def test_looking_leaves_a_system_in_its_mode() -> None:
    system = machine(TASKS["copy"]).train()
    previewed(system, TASKS["copy"])
    assert system.training
    previewed(system.eval(), TASKS["copy"])
    assert not system.training


def test_repetitions_are_marked_where_the_validation_sequence_has_them() -> None:
    task = TASKS["repeat copy"]
    inputs_TI = task.evaluation_example().inputs_TBI[:, 0]
    (delimiter,) = inputs_TI[:, 3].nonzero()[:, 0].tolist()
    marks = previewed(machine(task), task)["heads"].marks
    assert marks == {key: list(range(delimiter + 1, len(inputs_TI), delimiter)) for key in ("outputs", "read")}


def test_items_are_framed_where_the_validation_sequence_has_them() -> None:
    task = TASKS["associative recall"]
    batch = task.evaluation_example()
    frames = previewed(machine(task), task)["heads"].frames
    listed, given, answer = (slice(*frame.steps) for frame in frames if frame.panel == "inputs")
    bits_TO = batch.inputs_TBI[:, 0, :3]
    assert torch.equal(bits_TO[listed], bits_TO[given])
    assert torch.equal(bits_TO[answer], batch.targets_TBO[-2:, 0])


@pytest.mark.parametrize(
    "cell",
    [GravesLSTM(9, 8, 6), LSTM(9, 6, 8), DNC(9, 8, lambda size: LSTM(size, 6), read_heads=1, rows=8, width=4)],
    ids=lambda cell: type(cell).__name__,
)
def test_a_cell_without_such_heads_shows_nothing(cell: Cell) -> None:
    assert previewed(Transducer(cell).eval(), Copy()) == {}
    path = f"{type(cell).__module__}.{type(cell).__qualname__}"
    assert measure_of(Copy).previews({"init_args": {"cell": {"class_path": path}}}) == {}


class Unmeasured(Task):
    """A task that names no measure."""


class Misnamed(Task):
    measure = "augrnn.measures.nowhere.Nothing"


def test_a_task_without_a_measure_has_nothing_measured() -> None:
    system = machine(TASKS["copy"])
    assert type(measure_of(Unmeasured)) is Measure
    assert measured(system, Unmeasured()) == ({}, {})
    assert previewed(system, Unmeasured()) == {}


def test_a_measure_that_is_none_is_one_line() -> None:
    with pytest.raises(UserError, match=r"there is no measure called augrnn\.measures\.nowhere\.Nothing"):
        measure_of(Misnamed)
    with pytest.raises(UserError, match=r"LightningDataModule is no augrnn\.tasks\.task\.Task"):
        measured(machine(TASKS["copy"]), L.LightningDataModule())
