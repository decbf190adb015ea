"""Which questions about tables are answered right, and the programs that answer them."""

# T = time steps, B = batch, R = rows, C = columns, S = slots of a template

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import torch

from augrnn.batches import moved
from augrnn.exhibits.exhibit import Exhibit
from augrnn.exhibits.text_table import TextTable
from augrnn.measures.measure import Measure, Measured
from augrnn.programs.choices import choosing
from augrnn.programs.programmer import OPERATIONS
from augrnn.systems.transducer import Transducer
from augrnn.tasks.table_questions import CONDITIONS, ENDINGS, LOGIC, TableBatch, Template
from augrnn.tasks.tables import Tables

COLUMNS = ("question", "step", "operation", "column", "rows", "number", "answer")

WITH_COLUMN = {"sum", "greater", "lesser", "assign", "match"}


def kind_of(template: Template) -> str:
    """What a question asks, without columns: "greater and lesser, sum"."""
    conditions = [CONDITIONS[template.first]] if template.first else []
    if template.logic:
        conditions.append(f"{LOGIC[template.logic]} {CONDITIONS[template.second]}")
    return ", ".join(filter(None, [" ".join(conditions), ENDINGS[template.ending]]))


def programs_table(system: Transducer, task: Tables, batch: TableBatch, count: int) -> TextTable:
    """The programs of a batch's first questions: at each step the likeliest choices with their weights.

    Rows and number are what the program with the likeliest choices gives.
    """
    with choosing(system.cell, hard=False):
        soft = system(batch, keep=True).trace
    with choosing(system.cell, hard=True):
        hard = system(batch, keep=True)
    right_B, rows = batch.right(hard.y_TBO).tolist(), []
    for b, question in enumerate(task.texts(batch)[:count]):
        for t in range(len(soft.operation_BV)):
            sure, operation = (float(part) for part in soft.operation_BV[t, b].max(-1))
            share, column = (float(part) for part in soft.columns_BC[t, b].max(-1))
            name = OPERATIONS[int(operation)]
            last = t == len(soft.operation_BV) - 1
            rows.append(
                (
                    question if t == 0 else "",
                    str(t + 1),
                    f"{name} {sure:.2f}",
                    f"{task.columns[int(column)]} {share:.2f}" if name in WITH_COLUMN else "",
                    f"{float(hard.trace.rows_BR[t, b].sum()):.0f}",
                    f"{float(hard.trace.scalar_B[t, b]):.6g}",
                    ("right" if right_B[b] else "wrong") if last else "",
                )
            )
    return TextTable(COLUMNS, tuple(rows))


def answered(system: Transducer, batch: TableBatch, hard: bool) -> torch.Tensor:
    """Which questions of a batch are answered right, (B,), by the likeliest program or with all choices weighted."""
    with choosing(system.cell, hard=hard):
        return batch.right(system(batch).y_TBO)


class TableMeasure(Measure):
    """Right answers in each evaluation set, of programs with the likeliest choices and with all choices weighted.

    Numbers, each by the bound of the numbers in a set's tables: `right`, the share of questions that the likeliest
    program answers right; `right_soft`, the same with weighted choices; `right_of_all`, the share that the likeliest
    program answers right of questions from all templates, held out or not; and `right_by_kind`, in the first set, by
    what is asked. The exhibit `programs` shows some of them step by step.
    """

    def measure(self, system: Transducer, task: Tables) -> Measured:
        numbers: dict[str, Any] = {"right": {}, "right_soft": {}, "right_of_all": {}}
        kinds: dict[str, list[bool]] = defaultdict(list)
        for place, (name, batches) in enumerate(task.test_sets().items()):
            found: dict[str, list[torch.Tensor]] = {"right": [], "right_soft": []}
            for drawn in batches:
                batch = moved(drawn, system.device)
                for measure, hard in (("right", True), ("right_soft", False)):
                    found[measure].append(answered(system, batch, hard))
                if place == 0:
                    for template_S, right in zip(batch.template_BS.tolist(), found["right"][-1].tolist(), strict=True):
                        kinds[kind_of(Template(*template_S))].append(right)
            for measure, values in found.items():
                numbers[measure][name] = float(torch.cat(values).double().mean())
        for name, batches in task.sets_of_all_templates().items():
            right = [answered(system, moved(drawn, system.device), hard=True) for drawn in batches]
            numbers["right_of_all"][name] = float(torch.cat(right).double().mean())
        numbers["right_by_kind"] = {kind: sum(right) / len(right) for kind, right in sorted(kinds.items())}
        example = moved(task.sample(8, 8, 10.0, 2, 0, held_out=True), system.device)
        return Measured(numbers, {"programs": programs_table(system, task, example, 8)})

    def preview(self, system: Transducer, task: Tables) -> dict[str, Exhibit]:
        example = moved(task.sample(4, 8, 10.0, 1, 0, held_out=False), system.device)
        return {"programs": programs_table(system, task, example, 4)}

    def previews(self, model: Mapping[str, Any]) -> dict[str, type[Exhibit]]:
        return {"programs": TextTable}
