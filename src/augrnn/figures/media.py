"""The pictures and tables of a model in training, at fixed validation examples."""

from functools import singledispatch
from typing import Any, NamedTuple

import lightning as L
import torch
from matplotlib.figure import Figure

from augrnn.cells.ntm import NTM
from augrnn.figures.alignment import alignment_figure
from augrnn.figures.memory import heads_figure
from augrnn.measures.memory import maps
from augrnn.measures.translation import examples_of, samples
from augrnn.systems.encoder_decoder import EncoderDecoder
from augrnn.systems.transducer import Transducer
from augrnn.tasks.bits import BitsTask
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
def _(system: Transducer, task: BitsTask) -> Media:
    if not isinstance(system.cell, NTM):
        return NOTHING
    with torch.inference_mode():
        batch = task.evaluation_example()
        arrays = maps(system(batch.inputs_TBI.to(system.device), keep=True), batch)
    return Media({"heads": heads_figure(arrays, "one validation sequence")}, {})


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
