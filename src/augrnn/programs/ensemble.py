"""Neural Programmers that choose together (Neelakantan et al. 2016, section 3.3)."""

# B = batch, O = operations, C = columns, A = numbers of a question, K = members

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from augrnn.cells.cell import Cell, require_sizes
from augrnn.counts import is_whole
from augrnn.programs.choices import choosing, hardest
from augrnn.programs.neural_programmer import Choice, NeuralProgrammer, ProgramRecord, ProgramState, emitted


class EnsembleState(NamedTuple):
    """A program in work.

    Attributes:
      members: the program of each member, which differ in what they remember of it; None for members that take no part.
    """

    members: tuple[ProgramState | None, ...]

    @property
    def first(self) -> ProgramState:
        """That of the first member which takes part."""
        return next(state for state in self.members if state is not None)


class ProgrammerEnsemble(Cell):
    """Several Neural Programmers; the mean of their probabilities makes each choice at each step.

    In training each batch teaches one member alone, drawn at random: K members need K times as many updates.

    Args:
      vocabulary_size, size, dropout, recurrent_dropout: of each member, see `NeuralProgrammer`.
      members: K (the paper has 15).
      backwards: how many of them read questions from their last word to the first (the paper: 5).
    """

    one_program = False
    input_size, output_size = NeuralProgrammer.input_size, NeuralProgrammer.output_size

    def __init__(
        self,
        vocabulary_size: int,
        size: int = 256,
        dropout: float = 0.2,
        recurrent_dropout: float = 0.1,
        members: int = 15,
        backwards: int = 5,
    ) -> None:
        super().__init__()
        require_sizes("an ensemble of Neural Programmers", members=members)
        if not is_whole(backwards) or not 0 <= backwards <= members:
            raise ValueError(f"of {members} Neural Programmers {backwards!r} cannot read backwards")
        self.word_ids = vocabulary_size
        self.members = nn.ModuleList(
            NeuralProgrammer(vocabulary_size, size, dropout, recurrent_dropout, number < backwards)
            for number in range(members)
        )

    def programmers(self) -> list[NeuralProgrammer]:
        """The members."""
        return [member for member in self.members if isinstance(member, NeuralProgrammer)]

    def begin(self, batch: Any) -> EnsembleState:
        """Before the first step: see `NeuralProgrammer.begin`."""
        members = self.programmers()
        drawn = int(torch.randint(len(members), ())) if self.training else None
        with choosing(self, hard=False):
            states = [each.begin(batch) if drawn in (None, number) else None for number, each in enumerate(members)]
        numbers_B4A = torch.stack([state.given.numbers_B4A for state in states if state is not None]).mean(0)
        if members[0].is_hard:
            numbers_B4A = hardest(numbers_B4A) * (numbers_B4A > 0)
        return EnsembleState(
            tuple(state and state._replace(given=state.given._replace(numbers_B4A=numbers_B4A)) for state in states)
        )

    def step(self, p_BP: Tensor | None, state: EnsembleState) -> tuple[Tensor, EnsembleState]:
        pairs = list(zip(self.programmers(), state.members, strict=True))
        choices = [member.choose(each) if each is not None else None for member, each in pairs]
        operations_BO, columns_BC = (
            log_mean([choice[part] for choice in choices if choice is not None]) for part in (0, 1)
        )
        after = tuple(
            member.take(each, Choice(operations_BO, columns_BC, choice.columns_BCD)) if each and choice else None
            for (member, each), choice in zip(pairs, choices, strict=True)
        )
        made = EnsembleState(after)
        return emitted(made.first), made

    def record(self, state: EnsembleState) -> ProgramRecord:
        """The operations and columns that all chose together."""
        return state.first.record


def log_mean(logs: list[Tensor]) -> Tensor:
    """The logarithm of the mean of probabilities, from their logarithms."""
    return logs[0] if len(logs) == 1 else torch.stack(logs).logsumexp(0) - math.log(len(logs))
