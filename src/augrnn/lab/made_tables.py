"""What experiments on questions about made-up tables share: settings, quantities and exhibits.

Their measures are those of `augrnn.measures.tables.measure.TableMeasure` and of `texts.TableTextMeasure`: by the
evaluation set's name, which is the bound of its numbers ("10").
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from augrnn.lab.experiment import Shown
from augrnn.lab.results import Observations, Results, RunRecord
from augrnn.lab.settings import Settings, merged

if TYPE_CHECKING:
    from augrnn.exhibits.exhibit import Exhibit

PAPER = (
    "Neelakantan, Le, Sutskever 2015: Neural Programmer: Inducing Latent Programs with Gradient Descent, "
    "arXiv 1511.04834"
)

WRONG = "val/wrong"
"""The share of validation questions with a wrong answer."""

PROGRAMMER = "configs/tables/programmer.yaml"

UNIT = 3000
"""Updates that training is timed in at the small scale; see `recipe`."""

UNIT_AT_THE_PAPERS_SCALE = 16_000

FEW = 3
"""With more columns, tables of so many of them come between those of one and those of all."""


def recipe(unit: int, columns: int = 1, words: bool = False) -> Settings:
    """When in training something changes, with so many columns; configs/tables/programmer.yaml has it for one of them.

    First a question is about a single column, a different one each time, and its table has no other. The differences
    are found there, and noise makes choices of mixtures. With several columns it ends with these lessons, since it
    would keep columns from being told apart. With words tables have two columns at first: a condition that matches a
    word has to be joined with one about another column.
    """
    first, last = (2 if words else 1), 5 * unit
    lessons, end = ([[0, first], [last, min(columns, FEW)]] if columns > first else []), 9 * unit
    if columns == 1:
        end = 6 * unit
    elif columns > FEW:
        lessons, end = [*lessons, [8 * unit, columns]], 21 * unit // 2
    noise = {"noise": 3.0, "first": 3 * unit, "last": last, **({"until": last} if lessons else {})}
    helps = [
        _callback("augrnn.training.even_choices.EvenChoices", weights=[[0, 4.0], [unit, 2.0], [2 * unit, 0.0]]),
        _callback("augrnn.training.growing_noise.GrowingNoise", **noise),
    ]
    return merged({"data": {"init_args": {"column_lessons": lessons}}}, _trained(end, unit, helps))


def unhelped(updates: int) -> Settings:
    """Training without the help of `recipe`: all questions alike from the start, no evenness, and no noise on choices.

    The rate still falls, and the weights are kept that are best on validation questions.
    """
    alike: Settings = {"differences": None, "lessons": [], "column_lessons": []}
    return merged({"data": {"init_args": alike}}, _trained(updates, updates // 4, []))


def _trained(updates: int, slow: int, helps: Sequence[Settings]) -> Settings:
    """So many updates, the last ones slow and the last third of these slower, with the weights kept that are best."""
    kept = _callback(
        "lightning.pytorch.callbacks.ModelCheckpoint",
        monitor=WRONG,
        mode="min",
        save_top_k=1,
        filename="best-{step}",
        auto_insert_metric_name=False,
    )
    milestones = [updates - slow, updates - slow // 3]
    return {
        "model": {"init_args": {"scheduler": {"init_args": {"milestones": milestones}}}},
        "trainer": {"max_steps": updates, "callbacks": [*helps, kept]},
    }


def _callback(class_path: str, **arguments: object) -> Settings:
    return {"class_path": class_path, "init_args": arguments}


def columns(numbers: int, words: int = 0, many: bool = False) -> Settings:
    """Tables of so many columns; with several, or many wordings, a tenth of all questions is held out."""
    held_out = 0.1 if numbers + words > 1 or many else 0.0
    data = {"number_columns": numbers, "word_columns": words, "wording": "many" if many else "single"}
    found: Settings = {"data": {"init_args": {**data, "held_out": held_out}}}
    if words:
        found = merged(found, _cell(text=True))
    return merged(found, recipe(UNIT, numbers + words, words > 0))


def _cell(**arguments: object) -> Settings:
    return {"model": {"init_args": {"cell": {"init_args": arguments}}}}


SMOKE: Settings = {
    "data": {"init_args": {"epoch_batches": 100, "test_questions": 100, "test_rows": 10}},
    "trainer": {"max_steps": 200},
}

TABLES_OF_THE_PAPER: Settings = {
    "data": {
        "init_args": {
            "min_rows": 30,
            "max_rows": 100,
            "largest": 100.0,
            "test_rows": 120,
            "test_largest": [100.0, 200.0],
            "examples": 50_000,
            "batch_size": 50,
        }
    },
}
"""The paper's tables, and as many questions."""


NETWORK_OF_THE_PAPER: Settings = _cell(size=256, reader="rnn")


def at_the_papers_scale(columns: int = 1, words: bool = False) -> Settings:
    """The paper's network; with the recipe of the small scale in proportion, which nobody has tried at this size."""
    unit = UNIT_AT_THE_PAPERS_SCALE
    numbers = {"data": {"init_args": {"lessons": [[unit, 5.0], [2 * unit, 100.0]]}}}
    return merged(NETWORK_OF_THE_PAPER, numbers, recipe(unit, columns, words))


def by_range(run: RunRecord, measure: str = "right") -> tuple[float, float]:
    """Percent right at the narrower and at the wider range of numbers.

    Args:
      run: the run.
      measure: "right", of a test set's questions; or "right_of_all", of questions from all templates alike.
    """
    narrow, wide = sorted(run[measure], key=float)
    return 100 * run[measure][narrow], 100 * run[measure][wide]


def right(run: RunRecord) -> float:
    """Percent right at the wider range of numbers, of the test set's questions."""
    return by_range(run)[1]


def each_of(
    variants: Mapping[str, str], value: Callable[[RunRecord], float] = right
) -> Callable[[Results], dict[str, Observations]]:
    """A quantity: a value of each of some variants, by what they are called."""

    def quantity(results: Results) -> dict[str, Observations]:
        return {name: results.each(variant, value) for name, variant in variants.items()}

    return quantity


def exhibits(results: Results, shown: Shown, programs: Sequence[str] = ()) -> "dict[str, Exhibit]":
    """Learning curves, and of some variants programs of the first seed that is nearly all right."""
    from augrnn.exhibits.curves import LearningCurves

    found: dict[str, Exhibit] = {"learning": LearningCurves(results.curves(WRONG), "share of answers wrong")}
    for name in programs:
        good = [key for key in shown if key[0] == name and right(results.runs[key]) >= 95]
        if good:
            found[f"programs-{name}"] = shown[good[0]]["programs"]
    return found
