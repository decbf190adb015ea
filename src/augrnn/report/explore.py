"""Pages to try things on: networks that run in the page, the equations that they follow, and what they say if moved."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from augrnn.files import read_json
from augrnn.report.frame import LIBRARY, page
from augrnn.report.html import Html, data_block, element

LIVE = Path(__file__).parent / "live"
"""The weights of the networks that run in pages, and what those too large for a page say of examples;
`scripts/live_models.py`, `scripts/live_examples.py` and `scripts/live_questions.py` write them."""


@dataclass(frozen=True)
class Figure:
    """A page to try something on.

    Attributes:
      name: of the page and of its script.
      title: of the page.
      about: what there is to try, in a sentence.
      experiments: those that it belongs to.
      models: the networks of which it tells, files in LIVE.
      text: what the page says before the figure.
    """

    name: str
    title: str
    about: str
    experiments: tuple[str, ...]
    models: tuple[str, ...]
    text: Sequence[Html]

    @property
    def path(self) -> str:
        """The page in the report."""
        return f"try/{self.name}.html"

    def link(self, up: str) -> Html:
        """A link to it, with what there is to try."""
        return element("span", element("a", self.title, href=f"{up}{self.path}"), f": {self.about}")

    def page(self) -> str:
        """The page."""
        models = {name: read_model(name) for name in self.models}
        origins = [_origin(name, model) for name, model in models.items()]
        body = [
            element("h1", self.title),
            *self.text,
            element("div", id="figure"),
            element("h2", "Where it comes from"),
            element("ul", *origins),
        ]
        scripts = [*LIBRARY, "report.js", "charts.js", "machines.js", f"{self.name}.js"]
        return page(self.title, "../", body, scripts, [data_block("models", models)])


def read_model(name: str) -> dict[str, Any]:
    """A network as a page carries it: its "run", and "cell", as a config names it, with "weights", or examples."""
    return read_json(LIVE / f"{name}.json", "run")


def _origin(name: str, model: dict[str, Any]) -> Html:
    run = model["run"]
    command = f"augrnn reproduce {run['experiment']} --scale {run['scale']}"
    about = f"{name}: {run['variant']}, seed {run['seed']}, "
    if "weights" in model:
        numbers = sum(math.prod(weight["shape"]) for weight in model["weights"].values())
        about += f"{numbers:,} trained numbers, as they come from "
    else:
        drawn = "with new random weights in place of those that come" if model["untrained"] else "as it comes"
        about += f"{drawn} from "
    return element("li", about, element("code", command), ".")


FIGURES = (
    Figure(
        "attention",
        "A translator whose attention you can move",
        "keep it off a word, or pull it to one, and see what the network would say next",
        ("attention/translation",),
        ("rnnsearch", "rnnenc", "untrained"),
        (
            element(
                "p",
                "The network reads an English sentence and writes a French one. Before each unit of the translation it "
                "looks at the words that it has read: the arcs are as wide as its weights. Choose a word above and a "
                "step below. Then keep the attention off that word, or pull it there, and see how likely each next "
                "unit becomes.",
            ),
            element(
                "p",
                "A word that is kept off is not looked at in any step; what was read beside it may still tell of it. "
                "When the attention is pulled, that step alone changes, and all that was written before stays. The "
                "network without attention has one fixed vector of the sentence: there is nothing to move. The "
                "untrained one is given the trained one's translation.",
            ),
        ),
    ),
    Figure(
        "ntm",
        "A Neural Turing Machine that copies what you type",
        "follow its heads step by step, then move its attention yourself",
        ("ntm/copy",),
        ("copy",),
        (
            element(
                "p",
                "The machine sees each letter as eight bits, then a delimiter, and has to give the letters back from "
                "blank input. It was trained on random bits, at most ten vectors of them. Type something, and step "
                "through time. The page begins at the delimiter, where the read head has to find the first letter "
                "again: it looks up by content. The rows lie on a ring: this machine writes its first letter to row 0, "
                "and the next one to row 63.",
            ),
            element(
                "p",
                "Below, the calculator takes one head at one step, with all its numbers, and follows the paper's "
                "equations from the key to the weights. Change any of them. The figure in the article has no "
                "wrap-around at the ends of the memory, lets its gate weigh the previous weights where the paper's "
                "weighs the look-up, and always squares to sharpen; here all is as in the paper.",
            ),
        ),
    ),
    Figure(
        "parity",
        "A network that decides how long to think",
        "set a vector of ones and minus ones, and see how many steps it takes to tell whether the ones are odd",
        ("act/parity", "act/ponder"),
        ("tau-0.001", "tau-0.01", "tau-0.1"),
        (
            element(
                "p",
                "Adaptive computation time: at each inner step a halting unit says how likely it is to stop here. Once "
                "these add up to one, the network stops, and its answer is the mean over its steps, weighed by them. "
                "The time penalty tau is what a step costs in training. The task is parity: whether the number of ones "
                "is odd.",
            ),
        ),
    ),
    Figure(
        "arithmetic",
        "A program learned from answers, run step by step",
        "type an expression, and see which operation it chooses on what, softly and hard",
        ("programmer/arithmetic",),
        ("arithmetic",),
        (
            element(
                "p",
                "The network reads an expression symbol by symbol. It sees what kind of symbol it is, but no number. "
                "At each step it chooses an operation and two operands: the number that is read, or a result of one or "
                "two steps ago. In training it was told nothing but the answers of expressions of up to six numbers.",
            ),
            element(
                "p",
                "While it learns, all operations are run and their results weighted: that is the soft result. When it "
                "is trained, the likeliest choice gets all weight: the hard one. Products come before sums, so a "
                "number must not be added until the next symbol is known. Watch how the program waits for it.",
            ),
        ),
    ),
    Figure(
        "questions",
        "A program that answers questions about a table",
        "take a word out of a question or turn the table round, and see what the program does instead",
        ("programmer/wiki-table-questions",),
        ("questions",),
        (
            element(
                "p",
                "The network has read questions about tables of Wikipedia with their answers, and no program. At each "
                "of four steps it chooses an operation and a column: select the rows that the question names, take "
                "the first or the largest of those that are selected, select all again, count, print. The last step "
                "answers. Tables and questions are made up here, and not chosen by whether it can answer them.",
            ),
            element(
                "p",
                "Much of what it knows is not what one would hope. Leave out a word that means nothing, and the "
                "program may become another one. Reverse the rows, and what was first in time is now the last row: a "
                "right answer that turns wrong had rested on the order in which tables are usually written.",
            ),
        ),
    ),
)
"""All of them."""


def figures_of(experiments: Sequence[str]) -> list[Figure]:
    """Those that belong to some of these experiments."""
    return [figure for figure in FIGURES if set(figure.experiments) & set(experiments)]
