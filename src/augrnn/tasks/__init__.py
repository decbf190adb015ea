"""LightningDataModules: the benchmarks of the Neural Turing Machine and of adaptive computation time, programs, text,
reversal, translation and captioning.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from augrnn.tasks.addition import Addition
from augrnn.tasks.associative_recall import AssociativeRecall
from augrnn.tasks.byte_text import ByteText
from augrnn.tasks.copy import Copy
from augrnn.tasks.dynamic_ngrams import DynamicNGrams
from augrnn.tasks.expressions import Expressions
from augrnn.tasks.logic import Logic
from augrnn.tasks.made_up_pages import MadeUpPages
from augrnn.tasks.parity import Parity
from augrnn.tasks.priority_sort import PrioritySort
from augrnn.tasks.repeat_copy import RepeatCopy
from augrnn.tasks.reversal import Reversal
from augrnn.tasks.sort import Sort
from augrnn.tasks.tables import Tables, TableTexts
from augrnn.tasks.task import StepTask, Task, TextTask

if TYPE_CHECKING:
    from augrnn.tasks.captioning import Captioning
    from augrnn.tasks.scenes import Scenes
    from augrnn.tasks.translation import Translation
    from augrnn.tasks.wiki_table_questions import WikiTableQuestions

_SLOW = {
    "Captioning": "captioning",
    "Scenes": "scenes",
    "Translation": "translation",
    "WikiTableQuestions": "wiki_table_questions",
}
"""Tasks whose libraries are slow to import, and their modules."""

__all__ = [
    "Addition",
    "AssociativeRecall",
    "ByteText",
    "Captioning",
    "Copy",
    "DynamicNGrams",
    "Expressions",
    "Logic",
    "MadeUpPages",
    "Parity",
    "PrioritySort",
    "RepeatCopy",
    "Reversal",
    "Scenes",
    "Sort",
    "StepTask",
    "TableTexts",
    "Tables",
    "Task",
    "TextTask",
    "Translation",
    "WikiTableQuestions",
]


def __getattr__(name: str) -> Any:
    if name not in _SLOW:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"augrnn.tasks.{_SLOW[name]}"), name)
