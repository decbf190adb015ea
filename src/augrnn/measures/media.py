"""The pictures and tables of a model in training, at fixed validation examples."""

from functools import singledispatch
from typing import Any, NamedTuple

import lightning as L
import torch
from matplotlib.figure import Figure

from augrnn.batches import moved
from augrnn.cells.ntm import NTM
from augrnn.exhibits.alignment import alignment_figure
from augrnn.measures.associative_recall import measure as recall
from augrnn.measures.associative_recall.figure import recall_figure
from augrnn.measures.copy.figure import heads_figure
from augrnn.measures.copy.measure import Floats, maps
from augrnn.measures.dynamic_ngrams import measure as ngrams
from augrnn.measures.dynamic_ngrams.figure import ngram_figure
from augrnn.measures.priority_sort import measure as sorting
from augrnn.measures.priority_sort.figure import sort_figure
from augrnn.measures.repeat_copy import measure as repeats
from augrnn.measures.repeat_copy.figure import panels, repeat_figure
from augrnn.measures.translation.measure import examples_of, samples
from augrnn.systems.encoder_decoder import EncoderDecoder
from augrnn.systems.transducer import Transducer
from augrnn.tasks.associative_recall import AssociativeRecall
from augrnn.tasks.bit_task import BitTask
from augrnn.tasks.copy import Copy
from augrnn.tasks.dynamic_ngrams import DynamicNGrams
from augrnn.tasks.priority_sort import PrioritySort
from augrnn.tasks.repeat_copy import RepeatCopy
from augrnn.tasks.translation import Translation


class Media(NamedTuple):
    """What to show, by name.

    Attributes:
      figures: pictures, which the caller closes.
      tables: rows of text, all with the same columns.
    """

    figures: dict[str, Figure]
    tables: dict[str, list[dict[str, str]]]


NOTHING = Media({}, {})


@singledispatch
def media(system: L.LightningModule, task: L.LightningDataModule) -> Media:
    """What there is to see of a system on the fixed examples of a task; nothing for kinds that none is written for."""
    return NOTHING


@media.register
def _(system: Transducer, task: BitTask) -> Media:
    if not isinstance(system.cell, NTM):
        return NOTHING
    with torch.inference_mode():
        return Media({"heads": heads_of(task, system)}, {})


TITLE = "one validation sequence"


@singledispatch
def heads_of(task: BitTask, system: Transducer) -> Figure:
    """What the heads of an NTM do over a validation sequence of a task: all of it over one axis of time by default."""
    return panels(_maps(task, system), TITLE)[0]


@heads_of.register
def _(task: Copy, system: Transducer) -> Figure:
    return heads_figure(_maps(task, system), TITLE)


@heads_of.register
def _(task: RepeatCopy, system: Transducer) -> Figure:
    return repeat_figure(repeats.example_of(system, task), TITLE)


@heads_of.register
def _(task: AssociativeRecall, system: Transducer) -> Figure:
    return recall_figure(recall.example_of(system, task), TITLE)


@heads_of.register
def _(task: PrioritySort, system: Transducer) -> Figure:
    return sort_figure(sorting.example_of(system, task), "one validation batch")


@heads_of.register
def _(task: DynamicNGrams, system: Transducer) -> Figure:
    return ngram_figure(ngrams.example_of(system, task), TITLE)


def _maps(task: BitTask, system: Transducer) -> dict[str, Floats]:
    batch = task.evaluation_example()
    return maps(system(moved(batch, system.device), keep=True), batch)


@media.register
def _(system: EncoderDecoder, task: Any) -> Media:
    if not isinstance(task, Translation):
        return NOTHING
    with torch.inference_mode():
        rows = samples(system, task, task.validation_split)
        examples, arrays = examples_of(system, task, task.validation_split)
    tables = {"translations": rows}
    if not arrays:  # no attention, no alignment
        return Media({}, tables)
    weights = [arrays[f"alignment_{i}"] for i in range(len(examples))]
    words = ([example[side] for example in examples] for side in ("source", "target"))
    return Media({"alignments": alignment_figure(weights, *words)}, tables)
