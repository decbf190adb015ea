"""Requests to stop: what they are, and leaving at once."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import NoReturn

STOPPED = 143
"""Exit status after a request to stop: 128 + SIGTERM, as shells have it."""

SIGNALS = (signal.SIGTERM, signal.SIGUSR1)
"""The requests: of the lab and of a cluster that wants its machine back, and of SLURM ahead of the time limit."""


@contextlib.contextmanager
def leaving_when_asked() -> Iterator[None]:
    """Leave with SystemExit(STOPPED) at once when a signal asks for it, so that what is open gets closed."""

    def leave(number: int, _: FrameType | None) -> NoReturn:
        raise SystemExit(STOPPED)

    with handled(leave):
        yield


@contextlib.contextmanager
def handled(
    handler: Callable[[int, FrameType | None], object], signals: Sequence[signal.Signals] = SIGNALS
) -> Iterator[None]:
    """Answer the requests with a handler."""
    if threading.current_thread() is not threading.main_thread():  # signals reach the main thread only
        yield
        return
    before = {number: signal.signal(number, handler) for number in signals}
    try:
        yield
    finally:
        for number, one in before.items():
            signal.signal(number, one)
