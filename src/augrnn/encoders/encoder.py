"""What every encoder gives: annotations of its source."""

from typing import Any

from torch import nn

from augrnn.attention.attention import Annotations


class Encoder(nn.Module):
    """From a batch of sources to their annotations. What a source is, is between the task and the encoder alone.

    Attributes:
      annotation_size: size of each annotation.
      start_size: size of what the decoder's first state is made from.
      summary_size: size of the summary of the whole source.
      vocabulary: token ids it is made for; None where the source is no text.
    """

    annotation_size: int
    start_size: int
    summary_size: int
    vocabulary: int | None = None

    def forward(self, source: Any) -> Annotations:
        """Encode a batch of sources: a tuple of tensors whose first dimension is the batch (words, images, sound)."""
        raise NotImplementedError
