"""The objective of programs that are learnt from answers (Neelakantan et al. 2016, section 2.5, and their code)."""

# B = batch, C = columns, R = rows, K = items of answers

from typing import Literal, get_args

import torch
from torch import Tensor

from augrnn.cells.unroll import Unrolled
from augrnn.objectives.objective import Loss, Objective
from augrnn.tables.batch import TableBatch

Negatives = Literal["code", "paper"]


class AnswerLoss(Objective):
    """What a program's answer costs, whichever way of giving it fits.

    A number costs half its squared error by the rows of the table, cut at `most`, above which there is no gradient.
    Printed cells cost, for each item of the answer, -log p of the likeliest cell with it, and -log(1 - p) for all cells
    without any. Where both fit, the soft minimum of the two counts. Questions that no program can answer cost nothing.

    Args:
      negatives: "code" is the code that the paper's numbers come from: the sum over items and other cells, times
        `scale` by the number of cells. "paper" is its Eq. (8): the sum over items, and the mean over other cells.
      scale: of printed cells.
      most: of what a number costs.
      sharpness: of the soft minimum, -log(exp(-s x) + exp(-s y)) / s, cut at 0; infinite for the plain minimum.
    """

    def __init__(
        self, negatives: Negatives = "code", scale: float = 50.0, most: float = 3.0, sharpness: float = 5.0
    ) -> None:
        super().__init__()
        if negatives not in get_args(Negatives):
            raise ValueError(
                f"the loss of printed cells is that of the {' or '.join(get_args(Negatives))}, not {negatives}"
            )
        for name, value in (("scale", scale), ("most", most), ("sharpness", sharpness)):
            if not value > 0:
                raise ValueError(f"the loss of an answer needs {name} above 0, not {value}")
        self.negatives, self.scale, self.most, self.sharpness = negatives, scale, most, sharpness

    def forward(self, batch: TableBatch, given: Unrolled) -> Loss:
        counted_B, log_printed_BCR = batch.answered(given.y_TBO)
        number_B, cells_B = self.of_number(batch, counted_B), self.of_cells(batch, log_printed_BCR)
        both_B, scalar_B = batch.has_scalar_B & batch.has_lookup_B, batch.has_scalar_B
        cost_B = torch.where(both_B, self.least(number_B, cells_B), torch.where(scalar_B, number_B, cells_B))
        answered_B = scalar_B | batch.has_lookup_B
        value = (cost_B * answered_B).sum() / batch.size
        return Loss(value, {"loss": value.detach()})

    def of_number(self, batch: TableBatch, number_B: Tensor) -> Tensor:
        """Of counting, (B,)."""
        error_B = 0.5 * (number_B - batch.scalar_B.to(number_B)).square() / batch.row_mask_BR.sum(-1)
        return error_B.clamp(max=self.most)

    def of_cells(self, batch: TableBatch, log_printed_BCR: Tensor) -> Tensor:
        """Of printing, (B,)."""
        real_BX, item_BX = batch.cell_mask.flatten(1), batch.answer_BCR.flatten(1)
        log_p_BX = log_printed_BCR.flatten(1).masked_fill(~real_BX, 0.0)
        least_BK = log_p_BX.new_full((batch.size, int(item_BX.max()) + 1), torch.inf)
        least_BK = least_BK.scatter_reduce(1, item_BX, -log_p_BX, "amin")[:, 1:]
        items_B = least_BK.masked_fill(least_BK.isinf(), 0.0).sum(1)
        other_BX = real_BX & (item_BX == 0)
        p_BX = log_p_BX.masked_fill(~other_BX, -torch.inf).exp().clamp(max=1 - 1e-6)
        others_B = -torch.log1p(-p_BX).sum(1)
        if self.negatives == "paper":
            return items_B + others_B / other_BX.sum(1).clamp(min=1)
        return (items_B + others_B) * self.scale / real_BX.sum(1)

    def least(self, x_B: Tensor, y_B: Tensor) -> Tensor:
        """The soft minimum."""
        if self.sharpness == torch.inf:
            return torch.minimum(x_B, y_B)
        soft_B = -torch.logaddexp(-self.sharpness * x_B, -self.sharpness * y_B) / self.sharpness
        return soft_B.clamp(min=0)
