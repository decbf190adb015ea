"""Several trained systems that write as one."""

# B = batch, M = target positions, L = source positions

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from augrnn.search.model import Ensemble, mean_alignment
from augrnn.systems.encoder_decoder import EncoderDecoder
from augrnn.systems.searching import Searching
from augrnn.text.token_batches import PairBatch


class EncoderDecoderEnsemble(Searching, nn.Module):
    """Trained systems as one: the probability of each next word is the mean of theirs.

    It decodes, searches and aligns as one EncoderDecoder does; beam, length penalty and number of targets are those of
    the first.

    Args:
      members: at least one; all with the same vocabularies, and looking at the same source positions.
    """

    def __init__(self, members: Sequence[EncoderDecoder]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        first = members[0]
        self.beam_size, self.length_penalty, self.best = first.beam_size, first.length_penalty, first.best

    @property
    def device(self) -> torch.device:
        """Where the members are."""
        return self._systems[0].device

    @property
    def _systems(self) -> list[EncoderDecoder]:
        return cast(list[EncoderDecoder], list(self.members))

    def check_search(self, best: int, beam: int, length_penalty: float) -> None:
        """Refuse a beam search that is impossible, with a UserError."""
        self._systems[0].check_search(best, beam, length_penalty)

    def search_bytes(self, length: int, beam: int) -> int:
        """About what the beam search of one source takes in memory; see `EncoderDecoder.search_bytes`."""
        return sum(system.search_bytes(length, beam) for system in self._systems)

    def search(self, batch: PairBatch) -> tuple[Ensemble, tuple[Any, ...], Tensor]:
        """What a search needs: the members, their states before the first word, and the most tokens a target, (B,)."""
        models, states, limits = zip(*(system.search(batch) for system in self._systems), strict=True)
        return Ensemble(models), states, torch.stack(limits).amax(0)

    def places(self, state: tuple[Any, ...]) -> Tensor:
        """The mask (B, L) of the real source positions, which all members look at."""
        return self._systems[0].places(state[0])

    def align(self, batch: PairBatch) -> Tensor:
        """The weights (B, M, L) with which each target token is produced when the previous ones are given.

        They are the mean over the members that have attention.
        """
        return mean_alignment([system.align(batch) for system in self._systems])


Writer = EncoderDecoder | EncoderDecoderEnsemble
"""What writes targets and aligns them: one system, or several as one."""
