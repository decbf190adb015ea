"""The worker with a trainer that only pretends; it checkpoints, resumes and meets signals as Lightning does.

Its behaviour is a setting of the model: "learn", "slow" (learns a tenth as well), "diverge", "crash" (at update 3,
unless a file named `mended` lies beside the checkpoint), "kill" (the same by SIGKILL), "wait" (until it is stopped,
then learns when it resumes), "mistake" (the user's).
"""

import os
import signal
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from augrnn.errors import UserError
from augrnn.lab import run_process


class Signals:
    """What Lightning does on SIGTERM: call the handler that was there, note it, and leave at the next batch."""

    def __init__(self) -> None:
        before: Any = signal.getsignal(signal.SIGTERM)
        self.received = False

        def handle(number: int, frame: Any) -> None:
            self.received = True
            before(number, frame)

        signal.signal(signal.SIGTERM, handle)

    def leave_if_told(self) -> None:
        if self.received:
            raise SystemExit


def train(settings: dict[str, Any], folder: Path, tags: dict[str, Any], placement: tuple[str, ...] = ()) -> Any:
    behaviour, steps = settings["model"]["behaviour"], settings["trainer"]["max_steps"]
    signals, checkpoint, metrics = Signals(), folder / "checkpoints" / "last.ckpt", folder / "metrics.csv"
    done = int(checkpoint.read_text()) if checkpoint.exists() else 0
    checkpoint.parent.mkdir(exist_ok=True)
    (folder / "config.yaml").write_text(f"trainer: {{max_steps: {steps}}}\n")
    if not metrics.exists():
        metrics.write_text("step,epoch,sequences,train/cost,val/cost\n")
    for step in range(done + 1, steps + 1):
        signals.leave_if_told()
        misbehave(behaviour, step, done, checkpoint, signals)
        with open(metrics, "a", encoding="utf-8") as file:
            file.write(f"{step},0,{16 * step},,{cost(behaviour, step)}\n")
        checkpoint.write_text(str(step))
    model = SimpleNamespace(parameters=lambda: [SimpleNamespace(numel=lambda: 7)])
    return SimpleNamespace(
        system=model,
        task=None,
        trainer=None,
        publish=print,
        updates=steps,
        sequences=16 * steps,
        cost=cost(behaviour, steps),
    )


def cost(behaviour: str, step: int) -> float:
    return 8 * 0.5**step * (10 if behaviour == "slow" else 1)


def misbehave(behaviour: str, step: int, done: int, checkpoint: Path, signals: Signals) -> None:
    if behaviour == "mistake":
        raise UserError("there is no data set; set AUGRNN_DATA")
    if step < 3:
        return
    if behaviour == "diverge":
        raise FloatingPointError("the loss is not finite at update 3")
    if behaviour == "wait" and not done:
        while not signals.received:
            time.sleep(0.01)
        signals.leave_if_told()
    if not checkpoint.with_name("mended").exists():
        if behaviour == "crash":
            raise RuntimeError("a bug")
        if behaviour == "kill":
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(run_process.main(train=train))
