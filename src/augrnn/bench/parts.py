"""Where the time of an update goes, beside the least that this machine could do it in: `augrnn bench --parts`."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from augrnn.bench import rows
from augrnn.errors import UserError
from augrnn.native import SWITCH
from augrnn.systems.transducer import Transducer

BATCH = 16
"""Sequences a batch of the Neural Turing Machine."""

SIDE, LARGE = 1024, 2**26
"""Side of the matrices, and numbers of the array, that show what the machine can do."""

FORWARD, LOSS, BACKWARD, CLIPPING, OPTIMIZER = PARTS = "forward", "loss", "backward", "clipping", "optimizer"


class Part(NamedTuple):
    """A part of an update of a model; times in milliseconds.

    Attributes:
      model: whose.
      name: of the part.
      spent: what it takes, the median over updates.
      arithmetic: what its products would take at the rate of one large product.
      memory: what the numbers that it cannot do without would take at the rate of one large copy: parameters and what
        autograd keeps, and in the optimizer gradients and averages.
    """

    model: str
    name: str
    spent: float
    arithmetic: float
    memory: float


class Update(NamedTuple):
    """An update to be taken apart: what the module emits for a batch, and the loss of that."""

    name: str
    module: nn.Module
    forward: Callable[[], Any]
    loss: Callable[[Any], Tensor]


def updates() -> list[Update]:
    """The Neural Turing Machine on copy and RNNsearch, in the sizes of the other rows."""
    torch.manual_seed(0)
    work = rows.WORKLOADS[0]
    task = work.task()
    ours, batch = Transducer(rows.machine(work, task)), task.sample(BATCH, work.size, 0)
    translator, (*_, pairs) = rows.rnnsearch(), rows.sentences(3)

    def tokens(unrolled: Any) -> Tensor:
        scored = unrolled._replace(y_TBO=translator.decoder.logits(unrolled.y_TBO))
        return translator.objective(pairs, scored).value

    return [
        Update(
            f"{work.name}, batch {BATCH}",
            ours,
            lambda: ours(batch).y_TBO,
            lambda y_TBO: batch.cost_bits(y_TBO).mean(),
        ),
        Update(f"RNNsearch, batch {rows.PAIRS}", translator, lambda: translator(pairs), tokens),
    ]


def parts(seconds: float) -> Iterator[Part]:
    """All parts of all updates, on one thread of the CPU.

    Args:
      seconds: how long each update is measured.
    """
    torch.set_num_threads(1)
    flop_rate, byte_rate = rates()
    counted = _counted()
    for update in updates():
        spent = _spent(update, seconds)
        floats = sum(parameter.numel() for parameter in update.module.parameters())
        kept = _kept(update)
        moved = {FORWARD: 4 * floats + kept, BACKWARD: 8 * floats + kept, CLIPPING: 8 * floats, OPTIMIZER: 28 * floats}
        for name in PARTS:
            arithmetic = counted[update.name].get(name, 0) / flop_rate
            yield Part(update.name, name, 1e3 * spent[name], 1e3 * arithmetic, 1e3 * moved.get(name, 0) / byte_rate)


def tables(found: Sequence[Part]) -> str:
    """The parts of each update as a table in Markdown, with their sum."""
    lines: list[str] = []
    for model, own in groupby(found, lambda part: part.model):
        rows = [(part.name, part.spent, part.arithmetic, part.memory) for part in own]
        totals = [sum(column) for column in list(zip(*rows, strict=True))[1:]]
        lines += [f"{model}:", "", "| ms an update | spent | arithmetic | memory |", "| --- | --- | --- | --- |"]
        lines += ["| " + " | ".join([name, *(f"{each:.2f}" for each in times)]) + " |" for name, *times in rows]
        lines += ["| **together** | " + " | ".join(f"{each:.2f}" for each in totals) + " |", ""]
    return "\n".join(lines).rstrip()


def rates() -> tuple[float, float]:
    """What one thread does in a second: floating point operations of a product, bytes read and written by a copy."""
    matrix = torch.randn(SIDE, SIDE)
    source, target = torch.zeros(LARGE), torch.zeros(LARGE)
    layer = torch.ops.mkldnn._linear_pointwise if hasattr(torch.ops.mkldnn, "_linear_pointwise") else None

    def product() -> None:
        if layer is None:
            matrix @ matrix
        else:
            layer(matrix, matrix, None, "none", [], "")

    return 2 * SIDE**3 / _fastest(product), 8 * LARGE / _fastest(lambda: target.copy_(source))


def _fastest(work: Callable[[], Any]) -> float:
    times = []
    for _ in range(8):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def _spent(update: Update, seconds: float) -> dict[str, float]:
    parameters = list(update.module.parameters())
    optimizer = torch.optim.Adam(parameters, fused=True)
    times: dict[str, list[float]] = {name: [] for name in PARTS}
    made: dict[str, Any] = {}

    def forward() -> None:
        made[FORWARD] = update.forward()

    def loss() -> None:
        made[LOSS] = update.loss(made[FORWARD])

    def backward() -> None:
        made[LOSS].backward()

    def step() -> None:
        optimizer.step()
        optimizer.zero_grad()
        made.clear()

    work: dict[str, Callable[[], Any]] = {
        FORWARD: forward,
        LOSS: loss,
        BACKWARD: backward,
        CLIPPING: lambda: nn.utils.clip_grad_norm_(parameters, 10.0),
        OPTIMIZER: step,
    }
    begun, warm = time.perf_counter(), 5
    while len(times[OPTIMIZER]) < 2 * warm or time.perf_counter() - begun < seconds:
        for name, part in work.items():
            start = time.perf_counter()
            part()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(found[warm:]) for name, found in times.items()}


def _kept(update: Update) -> int:
    """Bytes that autograd keeps of the forward pass and the loss."""
    sizes: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = update.loss(update.forward())
    own = {parameter.untyped_storage().data_ptr() for parameter in update.module.parameters()}
    del loss
    return sum(size for address, size in sizes.items() if address not in own)


# Operations are counted where nothing is compiled, since the counter sees torch's own alone --------------------------


def _counted() -> dict[str, dict[str, int]]:
    environment = os.environ | {SWITCH: "0"}
    command = [sys.executable, "-W", "ignore", "-m", __name__]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserError(f"operations could not be counted: {done.stderr.strip().splitlines()[-1]}")
    found: dict[str, dict[str, int]] = json.loads(done.stdout.splitlines()[-1])
    return found


def operations() -> dict[str, dict[str, int]]:
    """Floating point operations of the products in each part of each update."""
    counter = FlopCounterMode(display=False, custom_mapping={torch.ops.augrnn.product: _product})
    found: dict[str, dict[str, int]] = {}
    for update in updates():
        counts = []
        with counter:
            emitted = update.forward()
        counts.append(counter.get_total_flops())
        with counter:
            loss = update.loss(emitted)
        counts.append(counter.get_total_flops())
        with counter:
            loss.backward()
        counts.append(counter.get_total_flops())
        found[update.name] = dict(zip((FORWARD, LOSS, BACKWARD), counts, strict=True))
    return found


def _product(x_shape: Any, weight_shape: Any, *_: Any, **__: Any) -> int:
    total = 2 * weight_shape[0]
    for size in x_shape:
        total *= size
    return total


if __name__ == "__main__":
    print(json.dumps(operations()))
