"""How many threads torch computes with, chosen in one place: by the size of the work and by how many cores are idle.

Threads wait for each other at the end of every operation. Small operations gain nothing from a second thread; and where
other work holds a core, a thread too many makes all others wait until it gets one: on two cores beside other busy
processes an LSTM of 100 units trained 15 times slower on two threads than on one. Threads that sleep while they wait
take most of that away.
"""

import os
import time
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

EXACT = "AUGRNN_THREADS"
"""Set this environment variable to the number of threads to use, whatever the work."""

MOST = "OMP_NUM_THREADS"
"""What OpenMP knows as the number of threads is the most that are used."""

LEAST_WORK = 2**27
"""Multiplications in the largest product of a step from which on a second thread pays.

RNNsearch of 256 units, with a third of it, is a little faster on one thread; and to wake sleeping threads for small
operations costs a Neural Turing Machine half of its speed.
"""


def let_idle_threads_sleep(environment: MutableMapping[str, str]) -> None:
    """Ask OpenMP to; it listens when torch is imported, in this process or in one with this environment."""
    environment.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def most() -> int:
    """The most threads that may be used."""
    return min(_number(MOST) or cores(), cores())


def idle_cores(seconds: float = 0.2) -> int:
    """How many of the cores do nothing, to the nearest; all of them where the system does not tell.

    Args:
      seconds: how long to look; this process sleeps meanwhile.
    """
    try:
        before = _spent()
        time.sleep(seconds)
        spent = [now - then for now, then in zip(_spent(), before, strict=True)]
    except (OSError, ValueError):
        return cores()
    idle, everything = sum(spent[3:5]), sum(spent)
    return round(cores() * idle / everything) if everything else cores()


def choose(work: int) -> int:
    """Set torch's number of threads for work that begins now; gives the number.

    Args:
      work: multiplications in the largest product of a step.
    """
    import torch

    count = _number(EXACT)
    if count is None:
        count = most()
        if work < LEAST_WORK:
            count = 1
        elif count > 1:
            count = max(1, min(count, idle_cores()))
    torch.set_num_threads(count)
    return count


def largest_product(module: Any, rows: int) -> int:
    """Multiplications in the largest product of a module for so many rows; `module` is a torch.nn.Module."""
    return rows * max((parameter.numel() for parameter in module.parameters()), default=0)


def in_use() -> int:
    """The number of threads; before work has begun, the most that there may be."""
    import sys

    torch = sys.modules.get("torch")
    return torch.get_num_threads() if torch else _number(EXACT) or most()


def _number(name: str) -> int | None:
    text = os.environ.get(name, "").partition(",")[0].strip()  # OpenMP takes a number for each level
    return int(text) if text.isdecimal() and int(text) else None


def _spent() -> list[int]:
    """What the machine's cores have spent so far: working, working nicely, in the system, idle, waiting and so on."""
    with Path("/proc/stat").open(encoding="ascii") as file:
        return [int(number) for number in file.readline().split()[1:9]]
