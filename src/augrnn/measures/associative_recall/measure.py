"""What a cell does on the associative recall task, and how a Neural Turing Machine looks up and shifts (section 4.3).

The paper's reading of its figure 12: at the delimiter after an item the controller writes a digest of the item, and
then the next item's vectors on the rows beyond. After the query it computes the same digest, finds its row by content,
and shifts by one, to the first row of the answer.

The functions take traces as arrays, so that a hand-made trace can test them.
"""

# T = time steps, B = batch, N = memory rows, W = row width, H = heads of a kind, A = 2 * H heads (reads first),
# I = input channels, J = items, K = vectors an item, S = sequences, L = steps of the look-up window (K + 2)

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils import _pytree as pytree

from augrnn.batches import moved
from augrnn.cells import addressing
from augrnn.cells.ntm import NTM, NTMState
from augrnn.exhibits.exhibit import Exhibit
from augrnn.exhibits.memory_trace import Frame, MemoryTrace
from augrnn.measures.heads import (
    PREVIEW_TITLE,
    TITLE,
    Flags,
    Floats,
    HeadsMeasure,
    Integers,
    maps,
    ring_moves,
    trace_of,
    used_rows,
)
from augrnn.measures.measure import Measured
from augrnn.systems.transducer import Transducer
from augrnn.tasks.associative_recall import AssociativeRecall
from augrnn.tasks.bit_task import BitBatch
from augrnn.tasks.drawn_task import Size

FRAMES = (
    "On both weightings, query item and answer item span the rows that the write head used while the item was listed; "
    "look-up is the last step before the answer at which the read head jumps by more than one row."
)
"""What the frames of `recall_trace` are, for its caption."""


def item_rows(write_TBN: Floats, items: int, vectors: int) -> Flags:
    """The rows that are one item's own, (J, B, N).

    An item's writes are those from its first vector to the delimiter after it, where the paper sees its digest written.
    A row is an item's own if the head's largest weight is on it then and during no other item: a head that stands still
    owns nothing.
    """
    rows_TB = write_TBN.argmax(axis=-1)
    during = rows_TB[1 : items * (vectors + 1) + 1].reshape(items, vectors + 1, -1)
    visited_JBN = np.eye(write_TBN.shape[-1], dtype=bool)[during].any(axis=1)
    return visited_JBN & (visited_JBN.sum(axis=0) == 1)


def look_up(
    write_TBN: Floats,
    read_TBN: Floats,
    content_TBN: Floats,
    gate_TB: Floats,
    query_B: NDArray[np.int64],
    items: int,
    vectors: int,
) -> dict[str, float | None]:
    """How far one read head and one write head do what the paper describes.

    The look-up is the last step, from the query's first vector to the answer's first, at which content decides where
    the read head goes: of the two parts of the interpolation (Eq. 7), the largest entry of g * w^c exceeds the largest
    of (1 - g) * w of the step before. The gate alone does not tell, for w^c may be nearly flat: then the head moves
    from its last place even with a gate of .8, and sharpening removes what content has added. The look-up finds the row
    that is largest in w^c. Where the head then stands is no evidence, for the shift belongs to the same step: a look-up
    of the answer itself and a look-up of the row before it with a shift of one leave the same weighting.

    After the look-up the head may walk: from the found row through its rows at the look-up and at each later step, to
    the answer's first step. The paper's case, a digest found at the last step and one shift, is the shortest such walk.

    A writer that is a step late writes the digest during the next item, and counts as one that lacks the mechanism.

    Args:
      write_TBN: the write head's weighting.
      read_TBN: the read head's.
      content_TBN: the read head's content weighting w^c (Eq. 5).
      gate_TB: the read head's interpolation gate g.
      query_B: the place of the queried item in the list, from 0.
      items: J.
      vectors: K.

    Returns:
      `answer_from_its_rows`: share of answer steps that read a row of the answer's own.
      `answer_from_other_rows`: the same for an item that is neither query nor answer, a mean over those (control).
      `lookup_gate`: the largest gate in the steps of the look-up, a mean over sequences.
      `answer_gate`: mean gate at the answer steps after the first, where the reading needs none (control).
      `lookup_lands`: share of sequences whose look-up finds a row of the queried item's own.
      `lookup_lands_on_answer`, `lookup_lands_on_others`: the same for the answer and for the other items (controls).
      `shifts_to_answer`: share of sequences whose look-up finds a row of the queried item's own, and whose head walks
      from it, by no row or one in each step and always in the same direction, to a row of the answer's own; of the two
      directions, the more common one over all sequences.
      `one_shift_to_answer`: the same with a walk of one row in all, as the paper has it.

      The controls over other items are None for lists of two, and `answer_gate` for items of one vector.
    """
    first = items * (vectors + 1) + vectors + 2
    window = slice(first - vectors - 1, first + 1)
    own_JBN, each = item_rows(write_TBN, items, vectors), np.arange(len(query_B))
    rows_TB, gate_LB = read_TBN.argmax(axis=-1), gate_TB[window]
    before_LBN = read_TBN[window.start - 1 : window.stop - 1]
    looks_LB = gate_LB * content_TBN[window].max(axis=-1) > (1 - gate_LB) * before_LBN.max(axis=-1)
    last_B = len(looks_LB) - 1 - looks_LB[::-1].argmax(axis=0)
    found_B = content_TBN[window].argmax(axis=-1)[last_B, each]
    lands_JB = own_JBN[:, each, found_B] & looks_LB.any(axis=0)
    from_JB = own_JBN[:, each, rows_TB[first:]].mean(axis=1)

    walk_LB = np.where(np.arange(len(looks_LB))[:, None] >= last_B, rows_TB[window], found_B)
    moves_LB = ring_moves(np.concatenate([found_B[None], walk_LB[:-1]]), walk_LB, read_TBN.shape[-1])
    arrives_B = lands_JB[query_B, each] & own_JBN[query_B + 1, each, rows_TB[first]]
    walks_2B = np.stack([arrives_B & np.isin(moves_LB, (0, shift)).all(axis=0) for shift in (1, -1)])
    once_2B = walks_2B & (np.count_nonzero(moves_LB, axis=0) == 1)
    return {
        "answer_from_its_rows": float(from_JB[query_B + 1, each].mean()),
        "answer_from_other_rows": _over_others(from_JB, query_B),
        "lookup_gate": float(gate_LB.max(axis=0).mean()),
        "answer_gate": float(gate_TB[first + 1 :].mean()) if vectors > 1 else None,
        "lookup_lands": float(lands_JB[query_B, each].mean()),
        "lookup_lands_on_answer": float(lands_JB[query_B + 1, each].mean()),
        "lookup_lands_on_others": _over_others(lands_JB, query_B),
        "shifts_to_answer": float(walks_2B.mean(axis=1).max()),
        "one_shift_to_answer": float(once_2B.mean(axis=1).max()),
    }


def _over_others(values_JB: NDArray[Any], query_B: NDArray[np.int64]) -> float | None:
    """The mean over the items that are neither query nor answer."""
    places = np.arange(len(values_JB))[:, None]
    others_JB = (places != query_B) & (places != query_B + 1)
    return float(values_JB[others_JB].mean()) if len(values_JB) > 2 else None


def content_weightings(cell: NTM, inputs_TBI: Tensor, trace: NTMState) -> Tensor:
    """The content weightings w^c (Eq. 5) of all heads, (T, B, A, N), which the trace does not keep."""
    state, content = cell.initial_state(inputs_TBI.shape[1]), []
    for step, x_BI in enumerate(inputs_TBI):
        h_BC, _ = cell.controller(torch.cat([x_BI, state.read_BHW.flatten(1)], dim=-1), state.controller)
        key, strength, *_ = cell.to_heads(h_BC).split(cell.head_sizes, dim=-1)
        key_BAW = key.unflatten(-1, (2 * cell.heads, cell.width))
        content.append(addressing.content_weighting(key_BAW, addressing.strength(strength), state.memory_BNW))
        state = pytree.tree_map(lambda kept, step=step: kept[step], trace)
    return torch.stack(content)


def by_position(cost_S: Floats, query_S: Integers, items: int) -> list[float | None]:
    """Mean cost by the queried item's place in the list, from the first to the last but one; None where none asks."""
    return [float(cost_S[query_S == place].mean()) if place in query_S else None for place in range(items - 1)]


class RecallMeasure(HeadsMeasure):
    """How well a cell recalls from lists of each of the task's test sizes, and with an NTM by which mechanism.

    Numbers: `cost_bits` and `wrong_bits`, bits a sequence, by number of items; `cost_by_position`, for the largest
    number of items trained on (see `by_position`). With an NTM also the `mechanism` at that number (see `look_up`), and
    the exhibit `heads`, one sequence of the largest test size with the query and the answer framed.
    """

    def measure(self, system: Transducer, task: AssociativeRecall) -> Measured:
        scores = {name: _score(system, task, size) for name, size in zip(task.test_names, task.test_sizes, strict=True)}
        numbers: dict[str, Any] = {
            "cost_bits": {name: float(cost_S.mean()) for name, (cost_S, _, _) in scores.items()},
            "wrong_bits": {name: float(wrong_S.mean()) for name, (_, wrong_S, _) in scores.items()},
        }
        cost_S, _, query_S = _score(system, task, (task.max_items,))
        numbers["cost_by_position"] = by_position(cost_S, query_S, task.max_items)
        if not isinstance(system.cell, NTM):
            return Measured(numbers, {})
        looked_at = next(iter(task.evaluation_set((task.max_items,), 100)))
        shown = next(iter(task.evaluation_set(max(task.test_sizes), 1)))
        numbers["mechanism"], read, write = _mechanism(system, looked_at, task.vectors)
        return Measured(numbers, {"heads": _trace(system, shown, task.vectors, read, write, TITLE)})

    def heads(self, system: Transducer, task: AssociativeRecall) -> Exhibit:
        batch = task.evaluation_example()
        _, read, write = _mechanism(system, batch, task.vectors)
        return _trace(system, batch, task.vectors, read, write, PREVIEW_TITLE)


def _score(system: Transducer, task: AssociativeRecall, size: Size) -> tuple[Floats, Floats, Integers]:
    """Cost and wrong bits of every sequence of one evaluation set, and the place of its query."""
    cost, wrong, query = [], [], []
    for drawn in task.evaluation_set(size, task.test_sequences):
        batch = moved(drawn, system.device)
        logits_TBO = system(batch).y_TBO
        cost.append(batch.cost_bits(logits_TBO).cpu().numpy())
        wrong.append(batch.wrong_bits(logits_TBO).cpu().numpy())
        query.append(queries(drawn, task.vectors))
    return np.concatenate(cost), np.concatenate(wrong), np.concatenate(query)


def queries(batch: BitBatch, vectors: int) -> Integers:
    """Which item each sequence of a batch asks for, (B,), from 0: the first that is the query and has the answer next.

    Args:
      batch: of one number of items, on the CPU.
      vectors: K.
    """
    asked = items_of(batch) * (vectors + 1)
    bits_TBO = batch.inputs_TBI[..., : batch.targets_TBO.shape[-1]]
    listed_JKBO = bits_TBO[:asked].unflatten(0, (-1, vectors + 1))[:, 1:]
    given = (bits_TBO[asked + 1 : asked + vectors + 1], batch.targets_TBO[-vectors:])
    query_JB, answer_JB = ((listed_JKBO == item_KBO).all(dim=-1).all(dim=1) for item_KBO in given)
    return (query_JB[:-1] & answer_JB[1:]).long().argmax(dim=0).numpy()


def items_of(batch: BitBatch) -> int:
    """How many items each sequence of a batch lists: its item delimiters."""
    return int(batch.inputs_TBI[:, 0, -2].sum())


def _mechanism(system: Transducer, drawn: BitBatch, vectors: int) -> tuple[dict[str, float | None], int, int]:
    """The mechanism of the read head and the write head that fit the paper's reading best, and which they are."""
    assert isinstance(system.cell, NTM)
    items, query_B, batch = items_of(drawn), queries(drawn, vectors), moved(drawn, system.device)
    trace = system(batch, keep=True).trace
    content = content_weightings(system.cell, batch.inputs_TBI, trace).movedim(2, 0).cpu().numpy()
    weightings, gates = (kept.movedim(2, 0).cpu().numpy() for kept in (trace.weighting_BAN, trace.gate_BA))
    heads = system.cell.heads
    found = {
        (read, write): look_up(
            weightings[heads + write], weightings[read], content[read], gates[read], query_B, items, vectors
        )
        for read, write in product(range(heads), repeat=2)
    }
    read, write = max(found, key=lambda pair: _fit(found[pair]))
    return found[read, write], read, write


def _fit(numbers: dict[str, float | None]) -> float:
    """By what a pair of heads is chosen: the two ends of the mechanism, reading the answer and having walked to it."""
    return (numbers["answer_from_its_rows"] or 0) + (numbers["shifts_to_answer"] or 0)


def _trace(system: Transducer, batch: BitBatch, vectors: int, read: int, write: int, title: str) -> MemoryTrace:
    """Two heads over the first sequence of a batch."""
    found = maps(system(moved(batch, system.device), keep=True), batch, read, write)
    return recall_trace(found, int(queries(batch, vectors)[0]), items_of(batch), vectors, title)


def jump(read_TN: Floats, first: int, last: int) -> int | None:
    """The last step of those from `first` to `last` at which a head moves by more than one row; None without one."""
    rows_T = read_TN.argmax(axis=-1)
    moves = ring_moves(rows_T[first - 1 : last], rows_T[first : last + 1], read_TN.shape[-1])
    far = np.flatnonzero(np.abs(moves) > 1)
    return first + int(far[-1]) if far.size else None


def recall_trace(found: Mapping[str, Floats], query: int, items: int, vectors: int, title: str) -> MemoryTrace:
    """What `maps` gives of a sequence, with the queried item and its successor framed where they are listed and given.

    On both weightings a frame spans the rows on which the write head stood while the item was listed, so that an answer
    read from its own rows shows inside its frame. A third frame is around the last jump of the read head (see `jump`).

    Args:
      found: the heads over one sequence.
      query: the place of the queried item in the list, from 0.
      items: J.
      vectors: K.
      title: the exhibit's.
    """
    rows = used_rows(found["write"], found["read"])
    frames = []
    for item, place, given_at in (("query", query, items), ("answer", query + 1, items + 1)):
        listed, given = (
            (start, start + vectors) for start in (place * (vectors + 1) + 1, given_at * (vectors + 1) + 1)
        )
        shown = np.flatnonzero(np.isin(rows, found["write"][slice(*listed)].argmax(axis=-1)))
        written = (int(shown.min()), int(shown.max()) + 1)
        panel = "inputs" if item == "query" else "outputs"
        channels = {name: (0, found[name].shape[1]) for name in ("inputs", panel)}
        label = f"{item} item"
        frames += [
            Frame("inputs", label, listed, channels["inputs"]),
            Frame("write", label, listed, written),
            Frame("read", label, given, written),
            Frame(panel, label, given, channels[panel]),
        ]
    asked = items * (vectors + 1) + 1
    step = jump(found["read"], asked, asked + vectors + 1)
    if step is not None:
        row = int(np.flatnonzero(rows == found["read"][step].argmax())[0])
        frames.append(Frame("read", "look-up", (step, step + 1), (row, row + 1)))
    return trace_of(found, title, frames=tuple(frames), frames_are=FRAMES)
