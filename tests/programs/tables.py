"""Small batches of questions about tables for tests."""

import torch
from torch.nn import functional as F

from augrnn.tables.batch import TableBatch


def one(columns: int, rows: int, words: int, seed: int, numbers: int = 2) -> TableBatch:
    """One question on a table with numbers from -4 to 4, some of them missing."""
    source = torch.Generator().manual_seed(seed)

    def chance(share: float, *shape: int) -> torch.Tensor:
        return torch.rand(shape, generator=source) < share

    compared_BCR = torch.randint(-4, 5, (1, columns, rows), generator=source).double()
    mask_BCR = chance(0.8, 1, columns, rows)
    order_BCR = torch.where(mask_BCR, -compared_BCR, torch.inf).argsort(dim=-1, stable=True)
    answer_BCR = torch.randint(0, 3, (1, columns, rows), generator=source)
    there_BA = torch.arange(2).unsqueeze(0) < numbers
    return TableBatch(
        words_BL=torch.randint(1, 12, (1, words), generator=source),
        word_mask_BL=torch.ones(1, words, dtype=torch.bool),
        arguments_BA=torch.randint(-4, 5, (1, 2), generator=source).double() * there_BA,
        argument_mask_BA=there_BA,
        argument_places_BA=torch.randint(0, words, (1, 2), generator=source) * there_BA,
        row_mask_BR=torch.ones(1, rows, dtype=torch.bool),
        column_mask_BC=torch.ones(1, columns, dtype=torch.bool),
        numeric_BC=chance(0.5, 1, columns),
        names_BC=torch.randint(1, 12, (1, columns), generator=source),
        name_match_BC=chance(0.3, 1, columns),
        entry_match_BCR=chance(0.3, 1, columns, rows),
        most_frequent_BCR=chance(0.3, 1, columns, rows),
        compared_BCR=compared_BCR * mask_BCR,
        compared_mask_BCR=mask_BCR,
        order_BCR=order_BCR,
        scalar_B=torch.tensor([2.0], dtype=torch.float64),
        has_scalar_B=torch.tensor([seed % 2 == 0]),
        answer_BCR=answer_BCR,
        has_lookup_B=answer_BCR.flatten(1).any(1),
        index_B=torch.tensor([seed]),
    )


def together(*questions: TableBatch) -> TableBatch:
    """Several questions, padded to the largest of them."""
    words = max(each.words_BL.shape[1] for each in questions)
    columns = max(each.names_BC.shape[1] for each in questions)
    rows = max(each.row_mask_BR.shape[1] for each in questions)
    padded = []
    for each in questions:
        left, right, below = (
            words - each.words_BL.shape[1],
            columns - each.names_BC.shape[1],
            rows - each.row_mask_BR.shape[1],
        )
        amounts = {"BL": (left, 0), "BC": (0, right), "BR": (0, below), "BCR": (0, below, 0, right)}
        fields = {
            name: F.pad(value, amounts[letters]) if (letters := name.rpartition("_")[2]) in amounts else value
            for name, value in each._asdict().items()
        }
        order_BCR = torch.arange(rows).repeat(1, columns, 1)
        order_BCR[:, : each.names_BC.shape[1], : each.row_mask_BR.shape[1]] = each.order_BCR
        places_BA = (each.argument_places_BA + left) * each.argument_mask_BA
        padded.append(TableBatch(**fields)._replace(order_BCR=order_BCR, argument_places_BA=places_BA))
    return TableBatch(*(torch.cat(parts) for parts in zip(*padded, strict=True)))
