"""The system that produces a token sequence from anything an encoder makes annotations of."""

# B = batch, L = source positions, M = target positions, N = M B, J = what the decoder gives, V = vocabulary

from typing import Any, NamedTuple

import lightning as L
import torch
import torch.nn.functional as F
from lightning.pytorch.cli import LRSchedulerCallable, OptimizerCallable
from torch import Tensor

from augrnn.batches import BOS, PairBatch
from augrnn.cells.unroll import Unrolled, unroll
from augrnn.decoders.decoder import Decoder
from augrnn.encoders.encoder import Encoder
from augrnn.errors import UserError
from augrnn.search.beam_search import beam_search
from augrnn.search.greedy import greedy
from augrnn.search.model import Hypothesis, Speller

NO_TOKEN = -100
"""Stands where there is no target token; torch's cross-entropy passes over it."""


class _Tally(NamedTuple):
    """What an evaluation set has given so far: sums of nats, correct and all tokens; decoded targets by index."""

    split: str
    sums: Tensor
    decoded: dict[int, list[int]]


class EncoderDecoder(L.LightningModule):
    """An encoder's annotations and an attentive decoder, trained by the cross-entropy of the target's tokens.

    Logged: `train/loss` and `val/loss`, nats a target token with the previous words given; `val/perplexity` and
    `val/accuracy` of the same; `val/<metric>` of greedily decoded targets (no previous words given) for each metric of
    the task's `score(predictions, indices, split)`; `sequences` and `tokens` (of targets) seen so far.

    Args:
      encoder: makes the annotations.
      decoder: makes the target.
      optimizer: makes the optimizer from the parameters.
      scheduler: makes a learning rate schedule from the optimizer, stepped at every update; constant without it.
      label_smoothing: share of the target's probability spread evenly over the vocabulary in training.
      length_factor, length_constant: a decoded target has at most factor * source length + constant tokens.
      beam_size: hypotheses that `predict` keeps.
      length_penalty: alpha of `predict`'s length penalty.
      best: hypotheses that `predict` returns for each source.
    """

    def __init__(
        self,
        encoder: Encoder,
        decoder: Decoder,
        optimizer: OptimizerCallable = torch.optim.Adam,
        scheduler: LRSchedulerCallable | None = None,
        label_smoothing: float = 0.0,
        length_factor: float = 2.0,
        length_constant: int = 10,
        beam_size: int = 5,
        length_penalty: float = 1.0,
        best: int = 1,
    ) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.optimizer, self.scheduler, self.label_smoothing = optimizer, scheduler, label_smoothing
        self.length_factor, self.length_constant = length_factor, length_constant
        self.beam_size, self.length_penalty, self.best = beam_size, length_penalty, best
        self._check_sizes()
        self.sequences: Tensor
        self.tokens: Tensor
        self.register_buffer("sequences", torch.zeros((), dtype=torch.int64))
        self.register_buffer("tokens", torch.zeros((), dtype=torch.int64))
        self._seed = 0
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
        if not 1 <= self.best <= self.beam_size or self.length_penalty < 0:
            raise UserError(
                f"search needs 1 <= best <= beam_size and length_penalty >= 0, not best {self.best}, "
                f"beam_size {self.beam_size}, length_penalty {self.length_penalty}"
            )

    def setup(self, stage: str) -> None:
        task = getattr(self.trainer, "datamodule", None)
        for side, module in (("source", self.encoder), ("target", self.decoder)):
            given = getattr(task, f"{side}_vocabulary", None)
            made_for = getattr(module, "vocabulary", given)
            if given is not None and made_for != given:
                raise UserError(
                    f"{type(task).__name__} has {given} {side} tokens, but the {type(module).__name__} is made for "
                    f"{made_for}: set its vocabulary to {given}"
                )
        self._seed = torch.initial_seed()

    def forward(self, batch: PairBatch, keep: bool = False) -> Unrolled:
        """Decode with the previous words of the target given: outputs (M, B, J) and, if kept, the trace."""
        state = self.decoder.start(self.encoder(batch.source_BL, batch.source_mask_BL))
        previous_MB = F.pad(batch.target_BM[:, :-1], (1, 0), value=BOS).t()
        return unroll(self.decoder, self.decoder.embed(previous_MB), state, keep)

    def align(self, batch: PairBatch) -> Tensor:
        """The weights (B, M, L) with which each target token is produced when the previous ones are given."""
        return self(batch, keep=True).trace.alignment_BL.transpose(0, 1)

    def decode(self, batch: PairBatch) -> list[Hypothesis]:
        """The greedily decoded target of each source."""
        return greedy(*self.search(batch))

    def search(self, batch: PairBatch) -> tuple[Speller, Any, Tensor]:
        """What a search needs: the decoder, its state before the first word, and the most tokens a target, (B,)."""
        state = self.decoder.start(self.encoder(batch.source_BL, batch.source_mask_BL))
        limit_B = (self.length_factor * batch.source_mask_BL.sum(1)).long() + self.length_constant
        return Speller(self.decoder, self.decoder.embed, self.decoder.logits), state, limit_B

    def token_logits(self, batch: PairBatch) -> tuple[Tensor, Tensor]:
        """Scores (M B, V) of every target position, the previous words given, and its token, NO_TOKEN at padding.

        The padding of batches of similar length costs less than taking it out, and the sizes repeat.
        """
        target_BM = batch.target_BM.masked_fill(~batch.target_mask_BM, NO_TOKEN)
        return self.decoder.logits(self(batch).y_TBO).flatten(0, 1), target_BM.t().flatten()

    def on_train_batch_start(self, batch: PairBatch, batch_idx: int) -> None:
        # Dropout as a pure function of (seed, update), so that a resumed run draws what the uninterrupted one would.
        torch.manual_seed(self._seed + 7919 * self.global_step + self.global_rank)

    def training_step(self, batch: PairBatch, batch_idx: int) -> Tensor:
        logits_NV, target_N = self.token_logits(batch)
        loss = F.cross_entropy(logits_NV, target_N, label_smoothing=self.label_smoothing)
        self.sequences += batch.size * self.trainer.world_size
        self.tokens += batch.target_mask_BM.sum() * self.trainer.world_size
        values = {"train/loss": loss.detach(), "sequences": self.sequences.float(), "tokens": self.tokens.float()}
        self.log_dict(values, batch_size=batch.size)
        return loss

    def validation_step(self, batch: PairBatch, batch_idx: int) -> None:
        self._evaluate("val", "val", batch)

    def test_step(self, batch: PairBatch, batch_idx: int, dataloader_idx: int = 0) -> None:
        splits = getattr(getattr(self.trainer, "datamodule", None), "test_splits", None)
        split = splits[dataloader_idx] if splits else "test"
        self._evaluate(f"test/{split}" if splits else "test", split, batch)

    def _evaluate(self, prefix: str, split: str, batch: PairBatch) -> None:
        logits_NV, target_N = self.token_logits(batch)
        nats = F.cross_entropy(logits_NV, target_N, reduction="sum")
        correct = (logits_NV.argmax(-1) == target_N).sum()
        tokens = batch.target_mask_BM.sum()
        tally = self._tallies.setdefault(prefix, _Tally(split, torch.zeros(3, device=self.device), {}))
        tally.sums.add_(torch.stack([nats, correct, tokens]))
        targets = (hypothesis.tokens for hypothesis in self.decode(batch))
        tally.decoded.update(zip(batch.index_B.tolist(), targets, strict=True))

    def on_validation_epoch_end(self) -> None:
        self._report()

    def on_test_epoch_end(self) -> None:
        self._report()

    def _report(self) -> None:
        score = getattr(getattr(self.trainer, "datamodule", None), "score", None)
        for prefix, tally in self._tallies.items():
            gathered = self.all_gather(tally.sums)
            assert isinstance(gathered, torch.Tensor)
            nats, correct, tokens = gathered.view(-1, 3).sum(0)
            values = {"loss": nats / tokens, "perplexity": (nats / tokens).exp(), "accuracy": correct / tokens}
            if score is not None:
                decoded = self._from_all_processes(tally.decoded)
                values |= score(list(decoded.values()), list(decoded), tally.split)
            self.log_dict({f"{prefix}/{name}": value for name, value in values.items()}, sync_dist=True)
        self._tallies = {}

    def _from_all_processes(self, decoded: dict[int, list[int]]) -> dict[int, list[int]]:
        parts = [decoded] * self.trainer.world_size
        if len(parts) > 1:
            torch.distributed.all_gather_object(parts, decoded)
        return {index: tokens for part in parts for index, tokens in part.items()}

    def predict_step(self, batch: PairBatch, batch_idx: int, dataloader_idx: int = 0) -> dict[int, list[Hypothesis]]:
        """The best targets that beam search finds for each source, by the source's number in its split.

        Alignments have one column for each real source position.
        """
        model, state, limit_B = self.search(batch)
        found = beam_search(model, state, limit_B, self.beam_size, self.length_penalty, self.best)
        rows = zip(batch.index_B.tolist(), batch.source_mask_BL.sum(1).tolist(), found, strict=True)
        return {index: [_cut(hypothesis, columns) for hypothesis in best] for index, columns, best in rows}

    def configure_optimizers(self) -> Any:
        optimizer = self.optimizer(self.parameters())
        if self.scheduler is None:
            return optimizer
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": self.scheduler(optimizer), "interval": "step"}}


def _cut(hypothesis: Hypothesis, columns: int) -> Hypothesis:
    return hypothesis._replace(alignment=hypothesis.alignment[:, :columns])
