"""Where experiments and configs are found: in the working directory, and those that come with the package.

Experiments are Python and run when they are loaded, so a folder counts only on purpose: `experiments` in the working
directory, and in it each `<paper>/<finding>/experiment.py` that imports augrnn. What a file imports is read off
without running it. In a clone of the repository only the clone's own count; elsewhere the package's own come after
those of the working directory, which win where both have a name.
"""

import ast
from pathlib import Path

from augrnn.errors import UserError
from augrnn.known_names import known

PACKAGE = Path(__file__).parents[1]
"""Where this package is installed, or its source."""

EXPERIMENTS = "experiments"


def packaged() -> Path:
    """The experiments that come with the package: in an installed one inside it, in a clone beside its source."""
    inside = PACKAGE / "shipped"
    return (inside if inside.is_dir() else PACKAGE.parents[1]) / EXPERIMENTS


def places() -> list[Path]:
    """The folders of experiments that count here, the working directory's own first."""
    here = Path.cwd() / EXPERIMENTS
    if not here.is_dir() or here.resolve() == packaged().resolve():
        return [packaged()]
    if (here.parent / "src" / "augrnn").is_dir():
        return [here]
    return [here, packaged()] if names(here) else [packaged()]


def own_place() -> Path:
    """The folder of experiments whose committed records, cards and README may be written.

    Raises:
      UserError: they are those of an installed package.
    """
    found = places()[0]
    if PACKAGE in found.parents:
        raise UserError(
            "no experiments of your own here: run this where they are, in a clone of the repository or in a folder "
            "with experiments/<paper>/<finding>/experiment.py"
        )
    return found


def place_of(name: str) -> Path:
    """The folder of experiments that has that one; a UserError that offers near names where none has."""
    found = places()
    known(name.strip("/"), [each for place in found for each in names(place)], "experiment")
    return next(place for place in found if name.strip("/") in names(place))


def names(experiments: Path) -> list[str]:
    """The names of all experiments in a folder, sorted."""
    found = experiments.glob("*/*/experiment.py")
    return sorted(path.parent.relative_to(experiments).as_posix() for path in found if _is_ours(path))


def config_path(root: Path, config: str | Path) -> Path:
    """A config by its path relative to `root`; where that has none, the package's of this name."""
    if not (root / config).exists() and (packaged().parent / config).is_file():
        return packaged().parent / config
    return root / config


def _is_ours(path: Path) -> bool:
    try:
        text = path.read_text(encoding="utf-8")
        lines = ast.parse(text).body
    except (OSError, UnicodeDecodeError):
        return False
    except (SyntaxError, ValueError):
        return "augrnn" in text  # loading it says what is wrong
    modules = [each.module or "" for each in lines if isinstance(each, ast.ImportFrom)]
    modules += [alias.name for each in lines if isinstance(each, ast.Import) for alias in each.names]
    return any(module.split(".")[0] == "augrnn" for module in modules)
