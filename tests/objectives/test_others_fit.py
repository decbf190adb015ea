"""Objectives of the architectures to come, on toy cells: they fit the contract without a change to any system.

Each trains with `Transducer` as it is, and is compared with the same number computed by hand.
"""

from pathlib import Path
from typing import Any, NamedTuple

import lightning as L
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from augrnn.batch_stream import BatchStream, generator
from augrnn.cells.cell import Cell
from augrnn.cells.gru import GRU, GRUState
from augrnn.cells.unroll import Unrolled
from augrnn.objectives.objective import Loss, Objective
from augrnn.systems.transducer import Transducer
from augrnn.tasks.bit_task import BitBatch
from augrnn.tasks.copy import Copy
from augrnn.tasks.task import StepTask

K = 3
"""Inner steps."""


def fit(system: Transducer, task: StepTask, folder: Path, checkpoint: Path | None = None, **options: Any) -> None:
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu"}
    quiet |= {"enable_checkpointing": False, "limit_val_batches": 1}
    L.seed_everything(0, verbose=False)
    L.Trainer(default_root_dir=folder, **(quiet | options)).fit(
        system, task, ckpt_path=checkpoint, weights_only=False if checkpoint else None
    )


def copy() -> Copy:
    return Copy(width=2, min_length=1, max_length=3, batch_size=8, epoch_batches=6, validation_sequences=32)


# Inner steps with halting probabilities: a ponder cost, and an expected loss with a KL term ------------------------


class PonderState(NamedTuple):
    inner: GRUState
    outputs_KBO: Tensor
    p_KB: Tensor


class Pondering(Cell):
    """K inner steps a time step; the output is the mean of theirs by halting probability."""

    one_program = False

    def __init__(self) -> None:
        super().__init__()
        self.input_size, self.output_size = 3, 2
        self.inner, self.output, self.halt = GRU(3, 6), nn.Linear(6, 2), nn.Linear(6, 1)

    def initial_state(self, batch_size: int) -> PonderState:
        return PonderState(self.inner.initial_state(batch_size), torch.zeros(()), torch.zeros(()))

    def step(self, x_BI: Tensor, state: PonderState) -> tuple[Tensor, PonderState]:
        inner, left_B, outputs, p = state.inner, torch.ones(len(x_BI)), [], []
        for k in range(K):
            h_BH, inner = self.inner(x_BI, inner)
            chance_B = self.halt(h_BH).sigmoid().squeeze(-1) if k < K - 1 else torch.ones(len(x_BI))
            p.append(left_B * chance_B)
            left_B = left_B * (1 - chance_B)
            outputs.append(self.output(h_BH))
        outputs_KBO, p_KB = torch.stack(outputs), torch.stack(p)
        return (p_KB.unsqueeze(-1) * outputs_KBO).sum(0), PonderState(inner, outputs_KBO, p_KB)


class PonderCost(Objective):
    """The task's cost, and tau times the expected number of inner steps, summed over time."""

    def __init__(self, tau: float = 0.1) -> None:
        super().__init__()
        self.tau = tau

    @staticmethod
    def keep(record: PonderState) -> Tensor:
        return record.p_KB

    def forward(self, batch: BitBatch, given: Unrolled) -> Loss:
        steps_K = torch.arange(1, K + 1.0)
        ponder_B = (given.trace * steps_K[:, None]).sum(1).sum(0)
        cost = batch.step_costs(given.y_TBO).sum(0).mean()
        return Loss(cost + self.tau * ponder_B.mean(), {"ponder": ponder_B.mean().detach()})


class ExpectedLoss(Objective):
    """The expected cost over the step that halts, and beta times the KL divergence to a geometric prior."""

    def __init__(self, beta: float = 0.01, chance: float = 0.4) -> None:
        super().__init__()
        prior_K = chance * (1 - chance) ** torch.arange(K)
        self.beta = beta
        self.register_buffer("prior_K", prior_K / prior_K.sum())

    @staticmethod
    def keep(record: PonderState) -> tuple[Tensor, Tensor]:
        return record.outputs_KBO, record.p_KB

    def forward(self, batch: BitBatch, given: Unrolled) -> Loss:
        outputs_TKBO, p_TKB = given.trace
        costs_KTB = batch.step_costs(outputs_TKBO.transpose(0, 1))
        expected = (p_TKB.transpose(0, 1) * costs_KTB).sum((0, 1)).mean()
        divergence = (p_TKB * (p_TKB.clamp_min(1e-9).log() - self.prior_K.log()[:, None])).sum(1).mean()
        return Loss(expected + self.beta * divergence, {"divergence": divergence.detach()})


@pytest.mark.parametrize("objective", [PonderCost(), ExpectedLoss()])
def test_costs_of_the_trace_train_through_the_transducer(objective: Objective, tmp_path: Path) -> None:
    torch.manual_seed(0)
    system = Transducer(Pondering(), objective)
    before = {name: value.clone() for name, value in system.state_dict().items()}
    fit(system, copy(), tmp_path, max_steps=6)
    moved = [name for name, value in system.named_parameters() if not torch.equal(before[name], value)]
    assert "cell.halt.weight" in moved
    batch = copy().sample(4, (2,), 0)
    loss = objective(batch, system.answer(batch, objective.keep))
    by_hand = torch.zeros(())
    state = system.cell.initial_state(4)
    for t, x_BI in enumerate(batch.inputs_TBI):
        y_BO, state = system.cell.step(x_BI, state)
        for b in range(4):
            p_K, targets_O = state.p_KB[:, b], batch.targets_TBO[t, b]
            costs_K = torch.stack(
                [
                    F.binary_cross_entropy_with_logits(out_BO[b], targets_O, reduction="sum")
                    for out_BO in state.outputs_KBO
                ]
            )
            scored = batch.scored_TB[t, b]
            if isinstance(objective, PonderCost):
                task = F.binary_cross_entropy_with_logits(y_BO[b], targets_O, reduction="sum")
                by_hand += (scored * task + 0.1 * sum((k + 1) * p for k, p in enumerate(p_K))) / 4
            else:
                kl = (p_K * (p_K / objective.prior_K).log()).sum() / len(batch.inputs_TBI)
                by_hand += (scored * (p_K * costs_K).sum() + 0.01 * kl) / 4
    torch.testing.assert_close(loss.value, by_hand)


# A sampled choice: REINFORCE with a moving baseline ---------------------------------------------------------------


class SampleState(NamedTuple):
    inner: GRUState
    log_p_B: Tensor


class Sampling(Cell):
    """Samples in training which of two read-outs gives each output."""

    def __init__(self) -> None:
        super().__init__()
        self.input_size, self.output_size = 3, 2
        self.inner, self.chooser, self.outputs = GRU(3, 6), nn.Linear(6, 2), nn.Linear(6, 4)

    def initial_state(self, batch_size: int) -> SampleState:
        return SampleState(self.inner.initial_state(batch_size), torch.zeros(()))

    def step(self, x_BI: Tensor, state: SampleState) -> tuple[Tensor, SampleState]:
        h_BH, inner = self.inner(x_BI, state.inner)
        log_p_B2 = self.chooser(h_BH).log_softmax(-1)
        choice_B1 = log_p_B2.exp().multinomial(1) if self.training else log_p_B2.argmax(-1, keepdim=True)
        both_B2O = self.outputs(h_BH).unflatten(-1, (2, 2))
        chosen_BO = both_B2O.gather(1, choice_B1.unsqueeze(-1).expand(-1, -1, 2)).squeeze(1)
        return chosen_BO, SampleState(inner, log_p_B2.gather(1, choice_B1).squeeze(1))


class Reinforce(Objective):
    """The cost of what was sampled, and its log probability times the reward over a moving baseline."""

    def __init__(self) -> None:
        super().__init__()
        self.baseline: Tensor
        self.register_buffer("baseline", torch.zeros(()))

    @staticmethod
    def keep(record: SampleState) -> Tensor:
        return record.log_p_B

    def forward(self, batch: BitBatch, given: Unrolled) -> Loss:
        cost_B = batch.step_costs(given.y_TBO).sum(0)
        advantage_B = self.baseline - cost_B.detach()
        self.baseline.lerp_(cost_B.detach().mean(), 0.1)
        return Loss((cost_B - advantage_B * given.trace.sum(0)).mean(), {"baseline": self.baseline.clone()})


def test_sampling_resumes_exactly_and_the_baseline_is_in_the_checkpoint(tmp_path: Path) -> None:
    def trained(steps: int, checkpoint: Path | None = None) -> dict[str, Tensor]:
        class Save(L.Callback):
            def on_train_batch_end(self, trainer: L.Trainer, *_: Any) -> None:
                if trainer.global_step == 4 and checkpoint is None:
                    trainer.save_checkpoint(tmp_path / f"{steps}.ckpt")

        torch.manual_seed(0)
        system = Transducer(Sampling(), Reinforce())
        fit(system, copy(), tmp_path, checkpoint, max_steps=steps, callbacks=[Save()])
        return system.state_dict()

    whole = trained(10)
    trained(4)
    resumed = trained(10, tmp_path / "4.ckpt")
    assert whole["objective.baseline"] > 0
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


# A program: no inputs but a number of steps, a source of its own, and two losses ------------------------------------


class TableBatch(NamedTuple):
    """Rows of numbers, which of two operations is asked for, and the answer: a sum, or rows to select."""

    rows_BN: Tensor
    asked_B: Tensor
    scalar_B: Tensor
    cells_BN: Tensor

    @property
    def size(self) -> int:
        return len(self.rows_BN)

    @property
    def inputs(self) -> int:
        return 2

    def scores(self, outputs_TBO: Tensor) -> dict[str, Tensor]:
        return {"error": (outputs_TBO[-1, :, 0] - self.scalar_B).abs() * (self.asked_B == 0)}


class ProgramState(NamedTuple):
    rows_BN: Tensor
    asked_BA: Tensor
    selected_BN: Tensor
    scalar_B: Tensor


class Program(Cell):
    """Each step mixes two operations: sum the numbers, and select those above a half."""

    input_size, output_size = 0, 1

    def __init__(self) -> None:
        super().__init__()
        self.chooser = nn.Linear(2, 2)

    def begin(self, batch: TableBatch) -> ProgramState:
        asked_BA = F.one_hot(batch.asked_B, 2).float()
        return ProgramState(batch.rows_BN, asked_BA, torch.zeros_like(batch.rows_BN), torch.zeros(batch.size))

    def step(self, p_BP: Tensor, state: ProgramState) -> tuple[Tensor, ProgramState]:
        weights_B2 = self.chooser(state.asked_BA).softmax(-1)
        scalar_B = weights_B2[:, 0] * state.rows_BN.sum(1)
        selected_BN = weights_B2[:, 1:] * (state.rows_BN > 0.5)
        return scalar_B[:, None], state._replace(selected_BN=selected_BN, scalar_B=scalar_B)


class AnswerLoss(Objective):
    """Half the squared error where a number is asked for, cross-entropy of the cells where rows are."""

    def forward(self, batch: TableBatch, given: Unrolled) -> Loss:
        number_B = 0.5 * (given.state.scalar_B - batch.scalar_B) ** 2
        cells_B = F.binary_cross_entropy(given.state.selected_BN, batch.cells_BN, reduction="none").sum(1)
        return Loss(torch.where(batch.asked_B == 0, number_B, cells_B).mean(), {})


class Tables(StepTask):
    """Made-up tables of four rows."""

    input_size, output_size = 0, 1

    def epoch_length(self) -> int:
        return 50

    def draw(self, number: int) -> TableBatch:
        source = generator(0, number)
        rows_BN, asked_B = torch.rand(16, 4, generator=source), torch.randint(0, 2, (16,), generator=source)
        return TableBatch(rows_BN, asked_B, rows_BN.sum(1), (rows_BN > 0.5).float())

    def validation_set(self) -> BatchStream:
        return BatchStream(lambda number: self.draw(10_000 + number), 2)


def test_a_program_learns_from_answers_with_two_losses(tmp_path: Path) -> None:
    torch.manual_seed(0)
    system = Transducer(Program(), AnswerLoss(), optimizer=lambda parameters: torch.optim.Adam(parameters, lr=0.1))
    fit(system, Tables(), tmp_path, max_steps=200)
    weights_22 = system.cell.chooser(torch.eye(2)).softmax(-1)
    assert (weights_22.diagonal() > 0.95).all()
