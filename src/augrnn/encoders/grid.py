"""Pictures as sources: the places of a grid are what a decoder looks at."""

# B = batch, C = colour channels, S = side in pixels, L = places of the grid, row by row, D = annotation

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from augrnn.attention.attention import Annotations
from augrnn.cells.cell import require_sizes
from augrnn.encoders.encoder import Encoder
from augrnn.errors import UserError


class GridSource(NamedTuple):
    """Pictures that a network has seen before: values_BLD, what it gave for each place, in any floating-point type."""

    values_BLD: Tensor


class PixelSource(NamedTuple):
    """Pictures as they are: pixels_BCSS, what the encoder's network takes."""

    pixels_BCSS: Tensor


class GridEncoder(Encoder):
    """A picture's features as annotations, one a place (Xu et al. 2015, section 3.1.1).

    The decoder starts from the mean annotation (section 3.1.2), which is also the picture's summary.

    Args:
      annotation_size: D, channels of the features.
      backbone: from pixels to grids (B, L, D), trained with the model unless it says otherwise; None where features
        are given.
      places: L, to add a learned vector to the features of each place, so that annotations tell where they are; 0 for
        none, as in the paper.
      normalised: whether the features of each place are brought to mean 0 and variance 1 (Ba et al. 2016), which layers
        without a ReLU behind them need; not in the paper.
      dropout: share of the annotations' entries dropped in training.
    """

    def __init__(
        self,
        annotation_size: int,
        backbone: nn.Module | None = None,
        places: int = 0,
        normalised: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        require_sizes("a grid encoder", annotation_size=annotation_size)
        self.annotation_size = self.start_size = self.summary_size = annotation_size
        self.backbone, self.normalised = backbone, normalised
        self.places_LD = nn.Parameter(torch.empty(places, annotation_size)) if places else None
        self.dropout = nn.Dropout(dropout)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """New vectors for places."""
        if self.places_LD is not None:
            nn.init.normal_(self.places_LD, std=0.1)

    def forward(self, source: GridSource | PixelSource) -> Annotations:
        """The annotations of a batch of pictures.

        Raises:
          UserError: the source is not of the kind, or not of the sizes, that this encoder is made for.
        """
        if isinstance(source, PixelSource) != (self.backbone is not None):
            given, needed = ("pixels", "no backbone") if self.backbone is None else ("features", "a backbone")
            raise UserError(f"the source gives {given}, but the encoder has {needed}")
        values_BLD = source[0] if self.backbone is None else self.backbone(source[0])
        if values_BLD.shape[-1] != self.annotation_size:
            raise UserError(
                f"annotations of size {self.annotation_size} are asked for, but features have {values_BLD.shape[-1]} "
                "channels: set annotation_size to that"
            )
        values_BLD = values_BLD.to(torch.get_default_dtype() if self.places_LD is None else self.places_LD.dtype)
        if self.normalised:
            values_BLD = F.layer_norm(values_BLD, values_BLD.shape[-1:])
        if self.places_LD is not None:
            if values_BLD.shape[1] != len(self.places_LD):
                raise UserError(f"the grid has {values_BLD.shape[1]} places, not {len(self.places_LD)}: set places")
            values_BLD = values_BLD + self.places_LD
        values_BLD = self.dropout(values_BLD)
        mean_BD = values_BLD.mean(1)
        return Annotations(values_BLD, values_BLD.new_ones(values_BLD.shape[:2], dtype=torch.bool), mean_BD, mean_BD)
