"""The system that produces a token sequence from anything an encoder makes annotations of."""

# B = batch, L = source positions, M = target positions, N = M B, J = what the decoder gives, V = vocabulary

import math
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from lightning.pytorch.cli import LRSchedulerCallable, OptimizerCallable
from torch import Tensor

from augrnn.cells.unroll import Keep, Unrolled, unroll
from augrnn.decoders.decoder import Decoder
from augrnn.encoders.encoder import Encoder
from augrnn.errors import UserError
from augrnn.objectives.cross_entropy import TokenCrossEntropy
from augrnn.objectives.objective import Objective
from augrnn.search.model import Speller
from augrnn.systems.searching import Searching
from augrnn.systems.system import System
from augrnn.tasks.task import Task, TextTask
from augrnn.text.token_batches import BOS, PairBatch


class _Tally(NamedTuple):
    """What an evaluation set has given so far: sums of nats, correct and all tokens; decoded targets by index."""

    split: str
    sums: Tensor
    decoded: dict[int, list[int]]


class EncoderDecoder(Searching, System):
    """An encoder's annotations and an attentive decoder, which produces a text.

    Logged, beside what all systems log: `val/loss`, nats a target token with the previous words given, `val/perplexity`
    and `val/accuracy` of the same; `val/<metric>` of greedily decoded targets (no previous words given) for each metric
    of the task's `score`; all of these under `test/<evaluation set>/` as well; `tokens` (of targets) seen so far.

    Args:
      encoder: makes the annotations.
      decoder: makes the target.
      objective: what training minimises; the cross-entropy of the target's tokens when None.
      optimizer, scheduler, gradient_noise: see System.
      length_factor, length_constant: a decoded target has at most factor * annotations + constant tokens.
      beam_size: hypotheses that `predict` keeps.
      length_penalty: alpha of `predict`'s length penalty.
      best: hypotheses that `predict` returns for each source.
    """

    def __init__(
        self,
        encoder: Encoder,
        decoder: Decoder,
        objective: Objective | None = None,
        optimizer: OptimizerCallable = torch.optim.Adam,
        scheduler: LRSchedulerCallable | None = None,
        length_factor: float = 2.0,
        length_constant: int = 10,
        beam_size: int = 5,
        length_penalty: float = 1.0,
        best: int = 1,
        gradient_noise: float = 0.0,
    ) -> None:
        super().__init__(objective or TokenCrossEntropy(), optimizer, scheduler, gradient_noise)
        self.encoder, self.decoder = encoder, decoder
        self.length_factor, self.length_constant = length_factor, length_constant
        self.beam_size, self.length_penalty, self.best = beam_size, length_penalty, best
        self._check_sizes()
        self.tokens: Tensor
        self.register_buffer("tokens", torch.zeros((), dtype=torch.int64))
        self._tallies: dict[str, _Tally] = {}

    def _check_sizes(self) -> None:
        attention = self.decoder.attention
        for name, needed, given in (
            ("attention's query_size", attention.query_size, self.decoder.hidden_size),
            ("attention's annotation_size", attention.annotation_size, self.encoder.annotation_size),
            ("decoder's start_size", self.decoder.start_size, self.encoder.start_size),
            ("attention's summary_size", getattr(attention, "summary_size", None), self.encoder.summary_size),
        ):
            if needed not in (None, given):
                raise UserError(f"the {name} is {needed}, but it is given {given}: set it to {given}")
        self.check_search(self.best, self.beam_size, self.length_penalty)

    def check_search(self, best: int, beam: int, length_penalty: float) -> None:
        """Refuse a beam search that is impossible, with a UserError."""
        whole = type(best) is int and type(beam) is int and isinstance(length_penalty, int | float)
        if not (whole and 1 <= best <= beam and 0 <= length_penalty < math.inf):
            raise UserError(
                f"a search needs 1 <= best <= beam and length penalty >= 0, not best {best}, beam {beam}, "
                f"length penalty {length_penalty}"
            )
        if beam > self.decoder.vocabulary:
            raise UserError(
                f"a beam of {beam} is wider than the target vocabulary of {self.decoder.vocabulary}: take a smaller one"
            )

    def search_bytes(self, length: int, beam: int) -> int:
        """About what the beam search of one source takes in memory.

        That is its annotations, what attention makes of them, and their copies; the scores of all tokens; and twice the
        weights of every step, as they are kept and as they are given, up to the most tokens of a target.

        Args:
          length: source positions.
          beam: hypotheses.
        """
        limit = int(self.length_factor * length) + self.length_constant
        numbers = length * (4 * self.encoder.annotation_size + 2 * limit) + 4 * self.decoder.vocabulary
        return beam * numbers * self.decoder.embedding.weight.element_size()

    def check(self, task: Task) -> None:
        if not isinstance(task, TextTask):
            raise UserError(f"{type(task).__name__} asks for no text: an EncoderDecoder cannot be trained on it")
        for side, given, module, made_for in (
            ("source", task.source_vocabulary, self.encoder, self.encoder.vocabulary),
            ("target", task.target_vocabulary, self.decoder, self.decoder.vocabulary),
        ):
            if None not in (given, made_for) and given != made_for:
                raise UserError(
                    f"{type(task).__name__} has {given} {side} tokens, but the {type(module).__name__} is made for "
                    f"{made_for}: set its vocabulary to {given}"
                )

    def forward(self, batch: PairBatch, keep: bool | Keep = False) -> Unrolled:
        """Decode with the previous words of the target given: outputs (M, B, J) and what was kept of the trace."""
        state = self.decoder.start(self.encoder(batch.source))
        previous_MB = F.pad(batch.target_BM[:, :-1], (1, 0), value=BOS).t()
        return unroll(self.decoder, self.decoder.embed(previous_MB), state, keep)

    def answer(self, batch: PairBatch, keep: bool | Keep = False) -> Unrolled:
        """The same with scores of every token, (M, B, V), as outputs.

        The padding of batches of similar length costs less than taking it out, and the sizes repeat.
        """
        unrolled = self(batch, keep)
        return unrolled._replace(y_TBO=self.decoder.logits(unrolled.y_TBO))

    def align(self, batch: PairBatch) -> Tensor:
        """The weights (B, M, L) with which each target token is produced when the previous ones are given."""
        return self(batch, keep=lambda record: record.alignment_BL).trace.transpose(0, 1)

    def search(self, batch: PairBatch) -> tuple[Speller, Any, Tensor]:
        """What a search needs: the decoder, its state before the first word, and the most tokens a target, (B,)."""
        annotations = self.encoder(batch.source)
        limit_B = (self.length_factor * annotations.mask_BL.sum(1)).long() + self.length_constant
        return Speller(self.decoder, self.decoder.embed, self.decoder.logits), self.decoder.start(annotations), limit_B

    def counted(self, batch: PairBatch) -> dict[str, Tensor]:
        self.tokens += batch.target_mask_BM.sum() * self.trainer.world_size
        return super().counted(batch) | {"tokens": self.tokens.float()}

    def validation_step(self, batch: PairBatch, batch_idx: int) -> None:
        self._evaluate("val", "val", batch)

    def test_step(self, batch: PairBatch, batch_idx: int, dataloader_idx: int = 0) -> None:
        split = self.task.test_names[dataloader_idx] if self.task else str(dataloader_idx)
        self._evaluate(f"test/{split}", split, batch)

    def _evaluate(self, prefix: str, split: str, batch: PairBatch) -> None:
        logits_NV, target_N = self.answer(batch).y_TBO.flatten(0, 1), batch.flat_target
        nats = F.cross_entropy(logits_NV, target_N, reduction="sum")
        correct = (logits_NV.argmax(-1) == target_N).sum()
        tokens = batch.target_mask_BM.sum()
        tally = self._tallies.setdefault(prefix, _Tally(split, torch.zeros(3, device=self.device), {}))
        tally.sums.add_(torch.stack([nats, correct, tokens]))
        targets = (hypothesis.tokens for hypothesis in self.decode(batch))
        tally.decoded.update(zip(batch.index_B.tolist(), targets, strict=True))

    def on_validation_epoch_end(self) -> None:
        self._report()
        super().on_validation_epoch_end()

    def on_test_epoch_end(self) -> None:
        self._report()

    def _report(self) -> None:
        for prefix, tally in self._tallies.items():
            gathered = self.all_gather(tally.sums)
            assert isinstance(gathered, torch.Tensor)
            nats, correct, tokens = gathered.view(-1, 3).sum(0)
            values = {"loss": nats / tokens, "perplexity": (nats / tokens).exp(), "accuracy": correct / tokens}
            if isinstance(self.task, TextTask):
                decoded = self._from_all_processes(tally.decoded)
                values |= self.task.score(list(decoded.values()), list(decoded), tally.split)
            self.log_dict({f"{prefix}/{name}": value for name, value in values.items()}, sync_dist=True)
        self._tallies = {}

    def _from_all_processes(self, decoded: dict[int, list[int]]) -> dict[int, list[int]]:
        parts = [decoded] * self.trainer.world_size
        if len(parts) > 1:
            torch.distributed.all_gather_object(parts, decoded)
        return {index: tokens for part in parts for index, tokens in part.items()}
