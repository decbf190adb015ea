"""What the bytes of a text cost a model, and how many inner steps it takes, by the kind of character that it reads."""

# S = sequences, T = time steps, B = batch, K = kinds, R = resamples

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from augrnn.batches import moved
from augrnn.cells.inner_steps import Pondering
from augrnn.dotted import named
from augrnn.exhibits.exhibit import Exhibit
from augrnn.measures.heads import PREVIEW_TITLE, TITLE
from augrnn.measures.measure import Measure, Measured
from augrnn.measures.pondering.measure import inner_steps
from augrnn.measures.text.figure import PonderedText, signs
from augrnn.measures.text.kinds import KINDS, kinds
from augrnn.objectives.cross_entropy import NATS_PER_BIT
from augrnn.seeded import seeded
from augrnn.systems.transducer import Transducer
from augrnn.tasks.byte_task import ByteTask

Floats = NDArray[np.float64]

RESAMPLES = 1000
"""Bootstrap samples of an evaluation set's sequences."""

PERCENTILES = (2.5, 50, 97.5)
"""Of these samples: the ends of a 95 % interval, and the middle."""

ALL = "all"
"""Names the bytes of all kinds together."""

SHOWN = 120
"""The last bytes of a sequence, which are shown."""


class Seen(NamedTuple):
    """The evaluation sequences of a split as a model goes through them.

    Attributes:
      bytes_ST: those that are read.
      kinds_ST: the numbers of their kinds among KINDS.
      bits_ST: what the byte after each costs.
      steps_ST: inner steps when it is read.
    """

    bytes_ST: NDArray[np.uint8]
    kinds_ST: NDArray[np.int8]
    bits_ST: Floats
    steps_ST: Floats


def seen(system: Transducer, task: ByteTask, split: str) -> Seen:
    """All evaluation sequences of a split. What a cell draws at random is the same at every call."""
    bits, steps, read = [], [], []
    keep = (lambda record: record.steps_B) if isinstance(system.cell, Pondering) else False
    with seeded(0, system.device):
        for drawn in task.evaluation(split):
            batch = moved(drawn, system.device)
            unrolled = system(batch, keep=keep)
            taken = unrolled.trace if keep else inner_steps(system.cell, None, batch.lengths)
            bits.append(batch.step_costs(unrolled.y_TBO).cpu().double().numpy().T / NATS_PER_BIT)
            steps.append(taken.cpu().double().numpy().T)
            read.append(drawn.bytes_LB[:-1].numpy().T)
    places_ST = task.starts(split).numpy()[:, None] + np.arange(task.sequence)
    whole = kinds(task.text(split).numpy().tobytes())
    return Seen(np.concatenate(read), whole[places_ST], np.concatenate(bits), np.concatenate(steps))


def by_kind(kinds_ST: NDArray[np.int8], values_ST: Floats) -> dict[str, tuple[float, list[float]]]:
    """The mean of a value over the bytes of each kind that occurs, and over all.

    Returns:
      By the kind's name: the mean, and the percentiles of the means of bootstrap samples of the sequences. A sample
      without such a byte is left out.
    """
    here_SKT = kinds_ST[:, None, :] == np.arange(len(KINDS))[:, None]
    counts_SK, sums_SK = here_SKT.sum(-1), (here_SKT * values_ST[:, None, :]).sum(-1)
    counts_SK, sums_SK = (np.column_stack([each, each.sum(1)]) for each in (counts_SK, sums_SK))
    sequences = len(kinds_ST)
    drawn_RS = np.random.default_rng(0).multinomial(sequences, [1 / sequences] * sequences, RESAMPLES)
    found = {}
    for name, count_S, sum_S in zip((*KINDS, ALL), counts_SK.T, sums_SK.T, strict=True):
        if count_S.any():
            counts_R, sums_R = drawn_RS @ count_S, drawn_RS @ sum_S
            means_R = sums_R[counts_R > 0] / counts_R[counts_R > 0]
            found[name] = float(sum_S.sum() / count_S.sum()), np.percentile(means_R, PERCENTILES).tolist()
    return found


def pondered(found: Seen, title: str) -> PonderedText:
    """The exhibit of the sequence in which the most kinds occur, the first of these."""
    shown = found.kinds_ST[:, -SHOWN:]
    chosen = max(range(len(shown)), key=lambda sequence: len(np.unique(shown[sequence])))
    parts = (each[chosen, -SHOWN:] for each in (found.steps_ST, found.bits_ST))
    return PonderedText(title, signs(found.bytes_ST[chosen, -SHOWN:].tobytes()), *parts)


class TextMeasure(Measure):
    """What bytes cost, and how many inner steps are taken, in each evaluation set.

    Numbers, each by the set's name: `bits_per_character`, a mean over its bytes; `inner_steps`, the mean number of
    inner steps N; `kinds`, by the kind of the byte that is read (see `augrnn.measures.text.kinds`), and for "all" of
    them: `share` of the bytes; `steps`, the mean of the inner steps taken when it is read, and `bits`, that of the cost
    of the byte after it, with `steps_interval` and `bits_interval`: percentiles 2.5, 50 and 97.5 over bootstrap samples
    of the sequences. With a cell that ponders also the exhibit `pondering`, of one sequence of the first set.
    """

    def measure(self, system: Transducer, task: ByteTask) -> Measured:
        numbers: dict[str, Any] = {"bits_per_character": {}, "inner_steps": {}, "kinds": {}}
        exhibits: dict[str, Exhibit] = {}
        for split in task.test_names:
            found = seen(system, task, split)
            bits, steps = (by_kind(found.kinds_ST, values_ST) for values_ST in (found.bits_ST, found.steps_ST))
            numbers["bits_per_character"][split], numbers["inner_steps"][split] = bits[ALL][0], steps[ALL][0]
            shares = {name: float((found.kinds_ST == number).mean()) for number, name in enumerate(KINDS)} | {ALL: 1.0}
            numbers["kinds"][split] = {
                name: {
                    "share": shares[name],
                    "steps": steps[name][0],
                    "steps_interval": steps[name][1],
                    "bits": bits[name][0],
                    "bits_interval": bits[name][1],
                }
                for name in bits
            }
            if isinstance(system.cell, Pondering) and not exhibits:
                exhibits["pondering"] = pondered(found, TITLE)
        return Measured(numbers, exhibits)

    def preview(self, system: Transducer, task: ByteTask) -> dict[str, Exhibit]:
        if not isinstance(system.cell, Pondering):
            return {}
        return {"pondering": pondered(seen(system, task, task.validation_split), PREVIEW_TITLE)}

    def previews(self, model: Mapping[str, Any]) -> dict[str, type[Exhibit]]:
        cell = model.get("init_args", {}).get("cell", {}).get("class_path")
        return {"pondering": PonderedText} if cell and issubclass(named(cell, object, "cell"), Pondering) else {}
