"""A Neural Turing Machine as the equations read: a loop over sequences, steps and heads, in plain torch operations.

It is written as most public code is, as a yardstick for `augrnn bench`. It has a cell's own parameters, so
that a test can hold one to the other.
"""

# T = steps, B = batch, N = memory rows, W = row width; without a letter: vectors of one sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from augrnn.cells.ntm import NTM


class NaiveNTM(nn.Module):
    """The machine of Graves, Wayne and Danihelka (2014), equation by equation.

    Args:
      cell: whose parameters and sizes it takes, with interpolation and sharpening; its controller is stepped as it is.
    """

    def __init__(self, cell: NTM) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, x_TBI: Tensor) -> Tensor:
        """Outputs (T, B, O) for inputs (T, B, I), from the cell's initial state."""
        cell, batch = self.cell, x_TBI.shape[1]
        heads = range(cell.heads)
        first = cell.initial_state(batch)
        controller, memory_BNW, outputs = first.controller, first.memory_BNW, []
        reads = [first.read_BHW[:, h] for h in heads]
        weightings = [first.weighting_BAN[:, a] for a in range(2 * cell.heads)]
        for x_BI in x_TBI:
            h_BC, controller = cell.controller(torch.cat([x_BI, *reads], dim=1), controller)
            keys, betas, gates, shifts, gammas, erases, adds = (
                part.chunk(2 * cell.heads if number < 5 else cell.heads, dim=1)
                for number, part in enumerate(cell.to_heads(h_BC).split(cell.head_sizes, dim=1))
            )
            weightings = [
                self._address(memory_BNW, before_BN, *asked)
                for before_BN, *asked in zip(weightings, keys, betas, gates, shifts, gammas, strict=True)
            ]
            reads = [(weightings[h].unsqueeze(1) @ memory_BNW).squeeze(1) for h in heads]  # Eq. 2
            writes = [w_BN.unsqueeze(2) for w_BN in weightings[cell.heads :]]
            for w_BN1, erase_BW in zip(writes, erases, strict=True):  # Eq. 3
                memory_BNW = memory_BNW * (1 - w_BN1 * erase_BW.sigmoid().unsqueeze(1))
            for w_BN1, add_BW in zip(writes, adds, strict=True):  # Eq. 4
                memory_BNW = memory_BNW + w_BN1 * add_BW.unsqueeze(1)
            outputs.append(cell.output(torch.cat([h_BC, *reads], dim=1)))
        return torch.stack(outputs)

    def _address(
        self,
        memory_BNW: Tensor,
        before_BN: Tensor,
        key_BW: Tensor,
        beta_B1: Tensor,
        gate_B1: Tensor,
        shifts_BS: Tensor,
        gamma_B1: Tensor,
    ) -> Tensor:
        likeness_BN = F.cosine_similarity(memory_BNW, key_BW.unsqueeze(1), dim=2)
        content_BN = (F.softplus(beta_B1) * likeness_BN).softmax(1)  # Eqs. 5 and 6
        open_B1 = gate_B1.sigmoid()
        gated_BN = open_B1 * content_BN + (1 - open_B1) * before_BN  # Eq. 7
        moved = []
        for w_N, s_S in zip(gated_BN, shifts_BS.softmax(1), strict=True):  # Eq. 8
            reach = len(s_S) // 2
            ring = torch.cat([w_N[-reach:], w_N, w_N[:reach]]) if reach else w_N
            moved.append(F.conv1d(ring.view(1, 1, -1), s_S.flip(0).view(1, 1, -1)).view(-1))
        sharp_BN = torch.stack(moved) ** (1 + F.softplus(gamma_B1))  # Eq. 9
        return sharp_BN / (sharp_BN.sum(1, keepdim=True) + 1e-16)
