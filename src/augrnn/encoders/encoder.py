"""What every encoder gives: annotations of its source."""

from torch import Tensor, nn

from augrnn.attention.attention import Annotations


class Encoder(nn.Module):
    """From padded sources to annotations.

    Attributes:
      annotation_size: size of each annotation.
      start_size: size of what the decoder's first state is made from.
      summary_size: size of the summary of the whole source.
    """

    annotation_size: int
    start_size: int
    summary_size: int

    def forward(self, source_BL: Tensor, mask_BL: Tensor) -> Annotations:
        raise NotImplementedError
