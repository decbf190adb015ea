"""What of expressions is right, and the program that gives an answer, step by step."""

# T = time steps, B = batch, V = operations, K = operands

from collections.abc import Mapping
from typing import Any

import torch

from augrnn.batches import moved
from augrnn.dotted import named
from augrnn.exhibits.exhibit import Exhibit
from augrnn.exhibits.text_table import TextTable
from augrnn.measures.measure import Measure, Measured
from augrnn.programs.arithmetic import OPERATIONS, ArithmeticProgram
from augrnn.programs.choices import choosing
from augrnn.systems.transducer import Transducer
from augrnn.tasks.expressions import ExpressionBatch, Expressions

COLUMNS = ("reads", "operation", "left", "right", "soft result", "likeliest program", "its result")

ONE_OPERAND = {"keep", "negate"}


def program_table(system: Transducer, batch: ExpressionBatch) -> TextTable:
    """The program of a batch's first expression: at each step the likeliest choices with their weights, and results."""
    with choosing(system.cell, hard=False):
        soft = system(batch, keep=True)
    with choosing(system.cell, hard=True):
        hard = system(batch)
    rows = []
    for t, symbol in enumerate(batch.texts()[0].split()):
        operation, weight = _likeliest(soft.trace.operation_BV[t, 0])
        name, operands = OPERATIONS[operation], []
        for weights in (soft.trace.left_BK, soft.trace.right_BK):
            place, share = _likeliest(weights[t, 0])
            operands.append((f"{place} ago" if place else symbol, share))
        (left, left_share), (right, right_share) = operands
        said = f"{name} {left}" if name in ONE_OPERAND else f"{name} {left}, {right}"
        weighted = f"{name} {weight:.2f}", f"{left} {left_share:.2f}", f"{right} {right_share:.2f}"
        results = [f"{float(given.y_TBO[t, 0, 0]):.4g}" for given in (soft, hard)]
        rows.append((symbol, *weighted, results[0], said, results[1]))
    return TextTable(COLUMNS, tuple(rows))


def _likeliest(weights: torch.Tensor) -> tuple[int, float]:
    share, place = weights.max(-1)
    return int(place), float(share)


class ExpressionMeasure(Measure):
    """Right answers in each evaluation set, and a program.

    Numbers, each by how many numbers an expression has: `right`, the share of right answers, of a program with the
    likeliest choice at each step; `error`, the mean absolute error. Of a program also `right_soft`, the share with all
    choices weighted, and the exhibit `program` of one expression.
    """

    def measure(self, system: Transducer, task: Expressions) -> Measured:
        programs = isinstance(system.cell, ArithmeticProgram)
        numbers: dict[str, Any] = {"right": {}, "error": {}} | ({"right_soft": {}} if programs else {})
        for name, batches in task.test_sets().items():
            found: dict[str, list[torch.Tensor]] = {measure: [] for measure in numbers}
            for drawn in batches:
                batch = moved(drawn, system.device)
                with choosing(system.cell, hard=True):
                    outputs_TBO = system(batch).y_TBO
                found["right"].append(batch.right(outputs_TBO).double())
                found["error"].append(batch.scores(outputs_TBO)["error"].double())
                if programs:
                    with choosing(system.cell, hard=False):
                        found["right_soft"].append(batch.right(system(batch).y_TBO).double())
            for measure, values in found.items():
                numbers[measure][name] = float(torch.cat(values).mean())
        example = moved(task.sample(1, task.max_numbers, task.max_numbers, 2, 0), system.device)
        return Measured(numbers, {"program": program_table(system, example)} if programs else {})

    def preview(self, system: Transducer, task: Expressions) -> dict[str, Exhibit]:
        if not isinstance(system.cell, ArithmeticProgram):
            return {}
        example = moved(task.sample(1, task.max_numbers, task.max_numbers, 1, 0), system.device)
        return {"program": program_table(system, example)}

    def previews(self, model: Mapping[str, Any]) -> dict[str, type[Exhibit]]:
        cell = model.get("init_args", {}).get("cell", {}).get("class_path")
        return {"program": TextTable} if cell and issubclass(named(cell, object, "cell"), ArithmeticProgram) else {}
