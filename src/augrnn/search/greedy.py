"""Greedy search: the likeliest token at every step."""

# B = batch, V = vocabulary

import torch
from torch import Tensor

from augrnn.cells.cell import State
from augrnn.search.model import Hypothesis, Model, hypotheses
from augrnn.text.token_batches import BOS, EOS, PAD


@torch.no_grad()
def greedy(model: Model, state: State, limit_B: Tensor) -> list[Hypothesis]:
    """Take the likeliest token at every step until EOS.

    Args:
      model: a decoder, or several.
      state: where it stands before the first word, B rows.
      limit_B: most tokens of each target, EOS included.
    """
    walk = model.walk(state)
    words_B = torch.full_like(limit_B, BOS)
    done_B = torch.zeros_like(limit_B, dtype=torch.bool)
    total_B = torch.zeros_like(limit_B, dtype=torch.get_default_dtype())
    tokens, alignments = [], []
    while not done_B.all():
        log_p_B, words_B = walk.next(words_B).all().max(-1)
        words_B = words_B.masked_fill(done_B, PAD)
        total_B = total_B + log_p_B.masked_fill(done_B, 0)
        tokens.append(words_B)
        alignments.append(walk.alignment())
        done_B = done_B | (words_B == EOS) | (len(tokens) >= limit_B)
    return hypotheses(torch.stack(tokens, 1), total_B, total_B, torch.stack(alignments, 1))
