"""What is shown while runs are at work: a live table on a terminal, a line now and then elsewhere."""

import csv
import io
import time
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table

from augrnn.lab.work import Work
from augrnn.run_folder import CONFIG, METRICS

HEARTBEAT = 60.0
"""Seconds between two reports where the output is not a terminal."""


class Progress:
    """Follows the runs of one call.

    Args:
      console: where to show it.
      total: runs to do.
      jobs: how many go at once.
      seconds: estimate for one run, used until one has ended.
      curves: the metrics to show.
      heartbeat: seconds between two reports where the output is not a terminal.
    """

    def __init__(
        self,
        console: Console,
        *,
        total: int,
        jobs: int,
        seconds: float,
        curves: tuple[str, ...],
        heartbeat: float = HEARTBEAT,
    ) -> None:
        self._console, self._total, self._jobs, self._estimate = console, total, jobs, seconds
        self._curves, self._heartbeat = curves, heartbeat
        self._running: dict[Work, Clock] = {}
        self._lengths: list[float] = []
        self._ended, self._reported = 0, time.monotonic()
        self._live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None

    def __enter__(self) -> "Progress":
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def started(self, run: Work, folder: Path) -> None:
        """A run has begun."""
        self._running[run] = Clock(folder)
        if not self._live:
            self.say(f"{run}: started")

    def ended(self, run: Work, outcome: str) -> None:
        """A run is over: its outcome in words."""
        clock = self._running.pop(run)
        self._lengths.append(clock.elapsed())
        self._ended += 1
        latest = latest_metrics(clock.folder / METRICS, self._curves)
        self.say(f"{run}: {outcome} after {duration(self._lengths[-1])}{'; ' + latest if latest else ''}")

    def beat(self) -> None:
        """Show where things stand, if it is time to."""
        now = time.monotonic()
        if now - self._reported < (1.0 if self._live else self._heartbeat):
            return
        self._reported = now
        if self._live:
            self._live.update(self._table(), refresh=True)
            return
        self.say(self._standing())
        for run, clock in self._running.items():
            self.say(f"  {run}: {latest_metrics(clock.folder / 'metrics.csv', self._curves) or 'no metrics yet'}")

    def say(self, line: str) -> None:
        """One line, above the live table where there is one."""
        self._console.print(f"{time.strftime('%H:%M:%S')}  {line}", markup=False, highlight=False, soft_wrap=True)

    def _standing(self) -> str:
        left = duration(self._seconds_left())
        return f"{self._ended} of {self._total} runs done, {len(self._running)} at work, about {left} left"

    def _seconds_left(self) -> float:
        left = {run: clock.left() for run, clock in self._running.items()}
        lengths = self._lengths + [
            self._running[run].elapsed() + rest for run, rest in left.items() if rest is not None
        ]
        length = sum(lengths) / len(lengths) if lengths else self._estimate
        rests = [
            max(0.0, length - self._running[run].elapsed()) if rest is None else rest for run, rest in left.items()
        ]
        waiting = self._total - self._ended - len(self._running)
        return max((sum(rests) + waiting * length) / self._jobs, max(rests, default=0.0))

    def _table(self) -> Table:
        table = Table(title=self._standing(), title_justify="left", box=None)
        for name in ("run", "time", "left", "latest"):
            table.add_column(name)
        for run, clock in self._running.items():
            latest, left = latest_metrics(clock.folder / METRICS, self._curves), clock.left()
            table.add_row(str(run), duration(clock.elapsed()), "" if left is None else duration(left), latest)
        return table


class Clock:
    """How long a run has been at work, and how long it still will be, by the updates that it has done."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._start = folder, time.monotonic()
        self._done_before = self._share_done() or 0.0

    @property
    def folder(self) -> Path:
        """Where its metrics are."""
        return training_in(self._folder)

    def elapsed(self) -> float:
        """Seconds since the start of this leg."""
        return time.monotonic() - self._start

    def left(self) -> float | None:
        """Seconds to go; None while that cannot be told."""
        done = self._share_done()
        if done is None or done <= self._done_before:
            return None
        return self.elapsed() * max(0.0, 1 - done) / (done - self._done_before)

    def _share_done(self) -> float | None:
        latest = _latest(self.folder / METRICS)
        for unit, limit in self._limits().items():
            if limit > 0 and unit in latest:
                return float(latest[unit]) / limit
        return None

    def _limits(self) -> dict[str, int]:
        import yaml

        try:
            trainer = yaml.safe_load((self.folder / CONFIG).read_text(encoding="utf-8"))["trainer"]
        except (OSError, yaml.YAMLError, KeyError, TypeError):
            return {}
        return {"step": trainer.get("max_steps") or 0, "epoch": trainer.get("max_epochs") or 0}


def training_in(folder: Path) -> Path:
    """The folder with the latest metrics: a run's own, or where it has several seeds the one of these at work."""
    found = {path.parent: path.stat().st_mtime for path in (*folder.glob(METRICS), *folder.glob(f"seed-*/{METRICS}"))}
    return max(found, key=lambda path: found[path], default=folder)


def latest_metrics(path: Path, metrics: tuple[str, ...]) -> str:
    """The last values of some metrics in a metrics.csv, with the update they are from, in words."""
    latest = _latest(path)
    shown = {name: latest[name] for name in ("step", "sequences", *metrics) if name in latest}
    return ", ".join(f"{name} {_short(text)}" for name, text in shown.items())


def _latest(path: Path) -> dict[str, str]:
    latest: dict[str, str] = {}
    for row in _last_rows(path):
        latest |= {name: text for name, text in row.items() if name and text}
    return latest


def _last_rows(path: Path, size: int = 8192) -> list[Mapping[str, str]]:
    try:
        with open(path, "rb") as file:
            header = file.readline().decode()
            file.seek(max(file.seek(0, io.SEEK_END) - size, len(header)))
            tail = file.read().decode(errors="replace")
            cut = file.tell() > size + len(header)
    except OSError:
        return []
    lines = tail.splitlines()[cut:]  # the first one may be half a line
    return list(csv.DictReader([header, *lines]))


def _short(text: str) -> str:
    try:
        value = float(text)
    except ValueError:
        return text
    return f"{value:,.0f}" if value == round(value) else f"{value:.4g}"


def duration(seconds: float) -> str:
    """A length of time in the unit that suits it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"
