"""Rows of how a training meets the machine: beside a busy process, at its first update, and in memory.

Each is measured in processes of their own, because caches, threads and peaks of memory are a process's.
"""

import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from augrnn.bench.rows import TRANSLATORS, WORKLOADS, Row, machine_update, named, rate, translation_update
from augrnn.errors import UserError

COPY, NGRAMS = WORKLOADS[0], WORKLOADS[3]
BATCH = 16
SHORT, UPDATES = 5, 4
"""Steps of a sequence that costs no memory to speak of; updates on such ones, and then on long ones, for a peak."""

FORGET = "/proc/self/clear_refs"
"""Linux takes the peak of a process anew from what it holds when it writes "5" to this file."""

BUSY = "while True: pass"
"""Another program that leaves its core no rest."""


def condition_rows(seconds: float) -> Iterator[Row]:
    """The rows, on the CPU.

    Args:
      seconds: how long each throughput is measured.
    """
    for what, unit in ((COPY.name, "sequences/s"), *((name, "target tokens/s") for name in TRANSLATORS)):
        idle, busy = asked("busy", what, str(seconds))
        yield Row(f"{what}, beside a busy process", device(), _batch(what), busy, unit, idle)
    for what in (COPY.name, "RNNsearch"):
        with tempfile.TemporaryDirectory() as cache:
            (cold,), (warm,) = (asked("first", what, cache=cache) for _ in range(2))
        yield Row(f"{what}, first update, nothing compiled yet", device(), _batch(what), cold, "s", warm)
    if not os.access(FORGET, os.W_OK):  # Linux tells what a process holds
        return
    steps = NGRAMS.size[0]
    (peak,) = asked("memory", str(steps))
    yield Row(f"{NGRAMS.name}, peak memory of {steps} steps", device(), BATCH, peak, "MiB", None)


def asked(*arguments: str, cache: str | None = None) -> list[float]:
    """What a process of its own measures.

    Args:
      arguments: of `main`.
      cache: a folder for compiled code, where it is not the user's.
    """
    environment = dict(os.environ)
    if cache is not None:
        environment |= {"AUGRNN_CACHE": cache, "TORCHINDUCTOR_CACHE_DIR": str(Path(cache) / "inductor")}
    command = [sys.executable, "-W", "ignore", "-m", __name__, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise UserError(f"the benchmark's process ended: {lines[-1] if lines else 'no message'}")
    found: list[float] = json.loads(done.stdout.splitlines()[-1])
    return found


def device() -> str:
    import torch

    return named(torch.device("cpu"))


def _batch(what: str) -> int:
    from augrnn.bench.rows import PAIRS

    return BATCH if what == COPY.name else PAIRS


# In the process ------------------------------------------------------------------------------------------------------


def main(what: str, name: str, seconds: str = "0") -> list[float]:
    """Measure one thing: "busy" (throughput without and with a busy process), "first" (s) or "memory" (MiB)."""
    import torch

    from augrnn.threads import choose

    cpu = torch.device("cpu")
    started = time.perf_counter()
    if what == "memory":
        torch.set_num_threads(1)
        sizes = [(SHORT,)] * UPDATES + [(int(name),)] * UPDATES
        return [_peak(machine_update(NGRAMS, BATCH, cpu, sizes))]
    update = machine_update(COPY, BATCH, cpu) if name == COPY.name else translation_update(name, cpu)
    if what == "first":
        update(0)
        return [time.perf_counter() - started]
    choose(0)  # as runs of these sizes do
    idle = rate(update, cpu, float(seconds))
    with subprocess.Popen([sys.executable, "-c", BUSY]) as other:
        try:
            busy = rate(update, cpu, float(seconds))
        finally:
            other.kill()
    return [idle, busy]


def _peak(update: Callable[[int], int]) -> float:
    """The most memory that an update takes, MiB, above what the process holds once it is compiled and warm.

    Freed memory goes back to the system here, unlike in a run: else what compiling took would be there to be used.
    """
    for number in range(UPDATES):
        update(number)
    gc.collect()
    Path(FORGET).write_text("5", encoding="ascii")
    before = _holds("VmRSS")
    for number in range(UPDATES, 2 * UPDATES):
        update(number)
    return _holds("VmHWM") - before


def _holds(name: str) -> float:
    """What this process holds (VmRSS) or has held at most (VmHWM), MiB; getrusage would count its parent's too."""
    with Path("/proc/self/status").open(encoding="ascii") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith(name))


if __name__ == "__main__":
    from augrnn.threads import let_idle_threads_sleep

    let_idle_threads_sleep(os.environ)
    print(json.dumps(main(*sys.argv[1:])))
