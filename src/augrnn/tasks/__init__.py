"""LightningDataModules: the benchmarks of the Neural Turing Machine, reversal and translation."""

from typing import TYPE_CHECKING, Any

from augrnn.tasks.associative_recall import AssociativeRecall
from augrnn.tasks.copy import Copy
from augrnn.tasks.dynamic_ngrams import DynamicNGrams
from augrnn.tasks.priority_sort import PrioritySort
from augrnn.tasks.repeat_copy import RepeatCopy
from augrnn.tasks.reversal import Reversal
from augrnn.tasks.task import StepTask, Task, TextTask

if TYPE_CHECKING:
    from augrnn.tasks.translation import Translation

__all__ = [
    "AssociativeRecall",
    "Copy",
    "DynamicNGrams",
    "PrioritySort",
    "RepeatCopy",
    "Reversal",
    "StepTask",
    "Task",
    "TextTask",
    "Translation",
]


def __getattr__(name: str) -> Any:
    if name != "Translation":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from augrnn.tasks.translation import Translation  # its libraries for text are slow to import

    return Translation
