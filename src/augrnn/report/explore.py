"""Pages to try things on: networks that run in the page, and the equations that they follow."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from augrnn.files import read_json
from augrnn.report.frame import LIBRARY, page
from augrnn.report.html import Html, data_block, element

LIVE = Path(__file__).parent / "live"
"""The weights of the networks that run in pages; `scripts/live_models.py` writes them."""


@dataclass(frozen=True)
class Figure:
    """A page to try something on.

    Attributes:
      name: of the page and of its script.
      title: of the page.
      about: what there is to try, in a sentence.
      experiments: those that it belongs to.
      models: the networks that run in it, files in LIVE.
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
            element("h2", "What runs here"),
            element("ul", *origins),
        ]
        scripts = [*LIBRARY, "report.js", "charts.js", "machines.js", f"{self.name}.js"]
        return page(self.title, "../", body, scripts, [data_block("models", models)])


def read_model(name: str) -> dict[str, Any]:
    """A network as a page carries it: its "run", its "cell" as a config names it, and its "weights"."""
    return read_json(LIVE / f"{name}.json", "run", "cell", "weights")


def _origin(name: str, model: dict[str, Any]) -> Html:
    run = model["run"]
    numbers = sum(math.prod(weight["shape"]) for weight in model["weights"].values())
    command = f"augrnn reproduce {run['experiment']} --scale {run['scale']}"
    about = f"{name}: {run['variant']}, seed {run['seed']}, {numbers:,} trained numbers, as they come from "
    return element("li", about, element("code", command), ".")


FIGURES = (
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
)
"""All of them."""


def figures_of(experiments: Sequence[str]) -> list[Figure]:
    """Those that belong to some of these experiments."""
    return [figure for figure in FIGURES if set(figure.experiments) & set(experiments)]
