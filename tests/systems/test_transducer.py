import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import lightning as L
import pytest
import torch
from torch import nn

from augrnn.cells.cell import Cell
from augrnn.cells.lstm import LSTM
from augrnn.cells.ntm import NTM
from augrnn.errors import UserError
from augrnn.programs.ensemble import ProgrammerEnsemble
from augrnn.programs.neural_programmer import NeuralProgrammer
from augrnn.programs.programmer import Programmer
from augrnn.systems.transducer import Transducer
from augrnn.tasks.copy import Copy
from augrnn.tasks.repeat_copy import RepeatCopy
from augrnn.tasks.tables import Tables
from augrnn.tasks.task import StepTask
from augrnn.tasks.wiki_table_questions import WikiTableQuestions


def trainer(folder: Path, **options: object) -> L.Trainer:
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu"}
    return L.Trainer(
        default_root_dir=folder,
        num_sanity_val_steps=0,
        enable_checkpointing=False,
        **(quiet | options),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("kind", ["ntm", "lstm"])
def test_learns_to_copy_two_short_vectors_in_seconds(tmp_path: Path, kind: str) -> None:
    torch.manual_seed(0)
    cells = {"ntm": lambda: NTM(4, 3, lambda size: LSTM(size, 20), rows=8, width=6), "lstm": lambda: LSTM(4, 40, 3)}
    system = Transducer(cells[kind](), optimizer=lambda parameters: torch.optim.Adam(parameters, lr=1e-2))
    task = Copy(width=3, min_length=1, max_length=2, epoch_batches=300, validation_sequences=64)
    run = trainer(tmp_path, max_steps=600, gradient_clip_val=10.0)
    run.fit(system, task)
    chance = 3 * 1.5
    assert float(run.callback_metrics["val/cost_bits"]) < 0.2 * chance
    assert int(system.sequences) == 600 * 16


def test_sizes_of_another_task_are_refused_in_one_line(tmp_path: Path) -> None:
    system = Transducer(LSTM(4, 5, 3))
    with pytest.raises(UserError, match="Copy gives 9 input and 8 output channels, but the cell is made for 4 and 3"):
        trainer(tmp_path, max_steps=1).fit(system, Copy())


@pytest.mark.parametrize(
    ("cell", "task", "told"),
    [
        (lambda: Programmer(20), Tables, "Tables has up to 27 words, but the Programmer is made for 20: give it a"),
        (
            lambda: NeuralProgrammer(60),
            lambda: WikiTableQuestions(vocabulary=61),
            "has up to 61 words, but the NeuralP",
        ),
        (lambda: ProgrammerEnsemble(60), WikiTableQuestions, "has up to 2500 words, but the ProgrammerEnsemble is"),
    ],
)
def test_more_words_than_a_cell_is_made_for_are_refused_in_one_line(
    cell: Callable[[], Cell], task: Callable[[], StepTask], told: str
) -> None:
    with pytest.raises(UserError, match=told):
        Transducer(cell()).check(task())


@pytest.mark.parametrize("missing", [("input_size",), ("output_size",), ("input_size", "output_size")])
def test_a_cell_that_does_not_say_its_sizes_is_refused_in_one_line(tmp_path: Path, missing: tuple[str, ...]) -> None:
    cell = LSTM(9, 5, 8)
    for name in missing:
        delattr(cell, name)
    with pytest.raises(UserError, match=f"LSTM does not set {' and '.join(missing)}: every Cell has these two"):
        trainer(tmp_path, max_steps=1).fit(Transducer(cell), Copy())


def test_test_sets_are_logged_by_size(tmp_path: Path) -> None:
    copy = Copy(width=2, test_lengths=(1, 4), test_sequences=100)
    repeat = RepeatCopy(width=2, test_sizes=((2, 1), (1, 3)), test_sequences=100)
    for task, sizes in ((copy, ("1", "4")), (repeat, ("2x1", "1x3"))):
        system = Transducer(LSTM(task.input_size, 5, task.output_size))
        logged = trainer(tmp_path).test(system, task, verbose=False)
        assert [set(metrics) for metrics in logged] == [
            {f"test/{size}/{name}" for name in ("cost_bits", "wrong_bits", "wrong_sequences")} for size in sizes
        ]


def test_the_loss_is_the_sum_over_bits_in_nats(tmp_path: Path) -> None:
    class Silent(LSTM):
        def read_out(self, h: torch.Tensor) -> torch.Tensor:
            return 0 * super().read_out(h)

    batch = Copy().sample(4, (10,), 0)
    with torch.no_grad():
        logits = Transducer(Silent(9, 4, 8))(batch).y_TBO
    nats = nn.functional.binary_cross_entropy_with_logits(logits[11:], batch.targets_TBO[11:], reduction="sum") / 4
    assert float(batch.cost_bits(logits).mean()) * 0.6931471805599453 == pytest.approx(float(nats))


def test_training_on_two_hundred_steps_stays_under_two_gibibytes() -> None:
    # In a process of its own, for its peak. On Linux, getrusage would start at the peak of the process that tests.
    program = """
import resource
import sys
import torch
from augrnn.cells.lstm import LSTM
from augrnn.cells.ntm import NTM
from augrnn.systems.transducer import Transducer
from augrnn.tasks.dynamic_ngrams import DynamicNGrams
task = DynamicNGrams(length=200, batch_size=16)
system = Transducer(NTM(1, 1, lambda size: LSTM(size, 100), heads=1, rows=128, width=20, memory="random"))
optimizer = torch.optim.Adam(system.parameters())
for number in range(3):
    batch = task.draw(number)
    batch.cost_bits(system(batch).y_TBO).mean().backward()
    optimizer.step()
    optimizer.zero_grad()
if sys.platform == "linux":
    with open("/proc/self/status") as file:
        print(next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) * 1024)
else:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
    environment = os.environ | {"AUGRNN_COMPILE": "0", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 2 * 2**30
