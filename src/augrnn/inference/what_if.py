"""What a translator would say next if it looked elsewhere: its attention is kept off a word, or pulled to it."""

# R = rows, W = words of the source ("<eos>" included), L = source units, M = target units ("<eos>" included),
# P = shares, V = vocabulary, E = word embedding

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from augrnn.attention.forced import forced
from augrnn.batches import moved
from augrnn.cells.unroll import unroll
from augrnn.errors import UserError
from augrnn.inference.load import Model, together
from augrnn.measures.translation.alignment import Weights, word_weights
from augrnn.search.beam_search import beam_search
from augrnn.search.model import log_probabilities
from augrnn.systems.encoder_decoder import EncoderDecoder
from augrnn.text.codec import PairCodec
from augrnn.text.token_batches import BOS, EOS
from augrnn.text.vocabulary import SPECIAL, Subwords

SHARES = (0.25, 0.5, 0.75, 1.0)
"""How much of the weight is pulled to a word."""

LIKELIEST = 4
"""Units that are told of each distribution."""

Likely = list[tuple[str, float]]
"""The likeliest next units with their probabilities, the likeliest first."""


class Steps(NamedTuple):
    """A model at every step of a target.

    Attributes:
      weights_MW: how much it looks at each word of the source; zero for models without attention.
      next: for each step the likeliest next units.
    """

    weights_MW: Weights
    next: list[Likely]


class WithoutWord(NamedTuple):
    """A model whose attention is kept off one word of the source.

    Attributes:
      steps: at every step of the target that it writes, or is given, when nothing is hidden.
      text: what it writes now.
    """

    steps: Steps
    text: str


class WhatIf(NamedTuple):
    """A translation, and how likely each next unit becomes under other attention.

    Attributes:
      source: the words of the sentence, and "<eos>".
      target: the units that the model writes or is given, "<eos>" the last; the same in all that follows.
      text: the same as a line.
      own: the model as it is.
      without: for each word of the source, the model when attention cannot look at it at any step. Other words'
        annotations were made beside it, and may still tell of it.
      pulled: for each word of the source and each of `SHARES`, the likeliest next units of each step when that share of
        the weight goes to the word, evenly over its units, and the rest stays in proportion. Earlier steps are the
        model's own.
    """

    source: list[str]
    target: list[str]
    text: str
    own: Steps
    without: list[WithoutWord]
    pulled: list[list[list[Likely]]]


@torch.inference_mode()
def what_if(model: Model, line: str, target: str | None = None) -> WhatIf:
    """What a translator would say next if its attention were kept off a word of a sentence, or pulled to it.

    Of a model without attention, `without` and `pulled` are empty.

    Args:
      model: a translator.
      line: a raw sentence.
      target: a translation that it is given word by word; its own when None.

    Raises:
      UserError: the model does not translate, or a line is blank.
    """
    (system,), codec = together([model], PairCodec, "what_if needs one of Translation", "languages or vocabularies")
    words = codec.source.words(line)
    given = None if target is None else codec.target.words(target)
    if not words or given == []:
        raise UserError("a blank line has no translation to ask about")
    ((_, drawn),) = codec.batches_of([words])
    batch = moved(drawn, system.device)
    speller, start, limit_B = system.search(batch)

    def written(state: Any, limits: Tensor) -> list[list[int]]:
        found = beam_search(speller, state, limits, system.beam_size, system.length_penalty)
        return [list(best.tokens) for best, *_ in found]

    tokens = written(start, limit_B)[0] if given is None else codec.target.vocabulary.encode([given])[0][:-1]
    word_of_L = codec.source.vocabulary.word_of(batch.source.ids_BL[0].tolist())
    asked = _Asked(system, codec.target.vocabulary, [*tokens, EOS], word_of_L)
    (own,) = asked.steps(start)
    without, pulled = [], []
    if own.weights_MW.any():
        of_word_WL = asked.of_word_WL
        off = _rows(start, len(of_word_WL))
        off = off._replace(attended=off.attended._replace(mask_BL=~of_word_WL))
        texts = map(codec.spelled, written(off, limit_B.expand(len(of_word_WL))))
        without = [WithoutWord(*each) for each in zip(asked.steps(off), texts, strict=True)]
        pulled = asked.pulled(start)
    pieces = codec.target.vocabulary.pieces(asked.target)
    return WhatIf([*words, SPECIAL[EOS]], pieces, codec.spelled(tokens), own, without, pulled)


class _Asked:
    """A model with a target that it is given word by word."""

    def __init__(self, system: EncoderDecoder, vocabulary: Subwords, target: list[int], word_of_L: list[int]) -> None:
        device = system.device
        self.decoder, self.vocabulary, self.target, self.word_of_L = system.decoder, vocabulary, target, word_of_L
        numbers_W = torch.arange(max(word_of_L) + 1, device=device)
        self.of_word_WL = torch.tensor(word_of_L, device=device) == numbers_W.unsqueeze(1)
        self.embedded_M1E = self.decoder.embed(torch.tensor([BOS, *target[:-1]], device=device).unsqueeze(1))

    def steps(self, start: Any) -> list[Steps]:
        """The model at every step, for each row of a first state."""
        rows = len(pytree.tree_leaves(start)[0])
        inputs_MRE = self.embedded_M1E.expand(-1, rows, -1).contiguous()
        outputs, _, weights_MRL = unroll(self.decoder, inputs_MRE, start, keep=lambda record: record.alignment_BL)
        told = [self.likely(outputs_RJ) for outputs_RJ in outputs]
        every = range(len(self.target))
        return [
            Steps(
                word_weights(weights_ML.double().cpu().numpy(), every, self.word_of_L),
                [likely_R[row] for likely_R in told],
            )
            for row, weights_ML in enumerate(weights_MRL.unbind(1))
        ]

    def pulled(self, start: Any) -> list[list[list[Likely]]]:
        """By word and share, the likeliest next units of each step when its weight is pulled to the word."""
        even_W1L = (self.of_word_WL / self.of_word_WL.sum(1, keepdim=True)).unsqueeze(1)
        shares_P1 = torch.tensor(SHARES, device=even_W1L.device).unsqueeze(1)
        found: list[list[list[Likely]]] = [[[] for _ in SHARES] for _ in self.of_word_WL]
        state = start
        for x_1E in self.embedded_M1E:
            before = state
            _, state = self.decoder(x_1E, before)
            weights_RL = torch.lerp(state.alignment_BL, even_W1L, shares_P1).flatten(0, 1)
            rows = len(weights_RL)
            with forced(self.decoder, weights_RL.unsqueeze(0)):
                outputs_RJ, _ = self.decoder(x_1E.expand(rows, -1).contiguous(), _rows(before, rows))
            for row, likely in enumerate(self.likely(outputs_RJ)):
                found[row // len(SHARES)][row % len(SHARES)].append(likely)
        return found

    def likely(self, outputs_RJ: Tensor) -> list[Likely]:
        """For each row the likeliest next units."""
        log_p_RV = log_probabilities(self.decoder.logits(outputs_RJ).contiguous())
        top = log_p_RV.exp().topk(min(LIKELIEST, log_p_RV.shape[1]))
        rows = zip(top.indices.tolist(), top.values.tolist(), strict=True)
        return [list(zip(self.vocabulary.pieces(ids), chances, strict=True)) for ids, chances in rows]


def _rows(state: Any, rows: int) -> Any:
    """A state of one source, so many times."""
    return pytree.tree_map(lambda leaf: leaf.expand(rows, *leaf.shape[1:]).contiguous(), state)
