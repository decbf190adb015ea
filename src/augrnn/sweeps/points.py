"""Grid and random sweeps as an explicit list of points, and the runs that train them."""

import hashlib
import itertools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from augrnn.errors import UserError
from augrnn.lab.places import config_path
from augrnn.lab.plan import Run, fingerprint
from augrnn.lab.settings import from_words, merged, nested, require_sections
from augrnn.sweeps.sweep_file import MOST, SEED, Parameter, Sweep
from augrnn.yaml_files import read_config

POINTS = "points"
"""The folder of the runs of points that are known beforehand, in that of their sweep."""

REDRAWS = 100
"""Draws for each point of a random sweep before it is taken that there are no new ones."""

_content = cache(read_config)  # a thousand points share a config


@dataclass(frozen=True)
class Point:
    """One place in the space that a sweep searches.

    Attributes:
      id: a hash of the values; the same values are the same point in any sweep.
      values: for each option its value, the seed apart.
    """

    id: str
    values: Mapping[str, Any]


def point(values: Mapping[str, Any]) -> Point:
    """The point with these values."""
    text = json.dumps(values, sort_keys=True, default=str)
    return Point(hashlib.sha256(text.encode()).hexdigest()[:10], dict(values))


def points(sweep: Sweep) -> list[Point]:
    """The points of a grid or random sweep, each once, always the same ones in the same order.

    Raises:
      UserError: the grid is too large, or the sweep is one whose points depend on results.
    """
    if sweep.file.method == "bayes":
        raise UserError(f"the points of {sweep.name} are not known beforehand: its method is bayes")
    found = _grid(sweep) if sweep.file.method == "grid" else _random(sweep)
    return found[: sweep.file.run_cap]


def _grid(sweep: Sweep) -> list[Point]:
    axes = {name: parameter.listed or () for name, parameter in sweep.axes.items()}
    size = math.prod(len(values) for values in axes.values())
    if size * len(sweep.seeds) > MOST:
        raise UserError(
            f"the grid of {sweep.name} has {size:,} points with {len(sweep.seeds)} seeds each, more than {MOST:,} "
            "runs: use random"
        )
    combinations = itertools.product(*axes.values())
    found: dict[str, Point] = {}
    for values in combinations:
        each = point(dict(zip(axes, values, strict=True)))
        found.setdefault(_meant(each), each)
    return list(found.values())


def _meant(point: Point) -> str:
    """Text that is the same for points that train the same: 1.0 is 1."""
    return json.dumps(_whole(point.values), sort_keys=True)


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {name: _whole(each) for name, each in value.items()}
    return [_whole(each) for each in value] if isinstance(value, list) else value


def _random(sweep: Sweep) -> list[Point]:
    random = np.random.default_rng(int(hashlib.sha256(sweep.name.encode()).hexdigest()[:12], 16))
    cap = sweep.file.run_cap or 0
    found: dict[str, Point] = {}
    for _ in range(REDRAWS * cap):
        drawn = point({name: draw(parameter, random) for name, parameter in sweep.axes.items()})
        found.setdefault(_meant(drawn), drawn)
        if len(found) == cap:
            break
    return list(found.values())


def draw(parameter: Parameter, random: np.random.Generator) -> Any:
    """A value of a parameter, drawn as W&B's random search draws it."""
    listed = parameter.listed
    if listed is not None:
        weights = parameter.probabilities if parameter.kind == "categorical" else None
        return listed[int(random.choice(len(listed), p=weights))]
    value = _drawn(parameter, random)
    if parameter.kind.startswith("q_"):
        return quantized(value, parameter)
    return float(value)


def quantized(value: float, parameter: Parameter) -> int | float:
    """The multiple of a parameter's q that is nearest to a value; a whole number where q is one."""
    nearest = round(value / parameter.q) * parameter.q
    return int(nearest) if isinstance(parameter.q, int) else float(nearest)


def _drawn(parameter: Parameter, random: np.random.Generator) -> float:
    low, high = parameter.min or 0.0, parameter.max or 0.0
    match parameter.kind.removeprefix("q_"):
        case "uniform":
            return random.uniform(low, high)
        case "log_uniform_values":
            return float(np.exp(random.uniform(np.log(low), np.log(high))))
        case "inv_log_uniform_values":  # 1 / X, where X is log-uniform between the inverses: log-uniform again
            return float(1 / np.exp(random.uniform(np.log(1 / high), np.log(1 / low))))
        case "normal":
            return random.normal(parameter.mu, parameter.sigma)
        case "log_normal":
            return float(random.lognormal(parameter.mu, parameter.sigma))
        case "beta":
            return random.beta(parameter.a, parameter.b)
    raise AssertionError(parameter.kind)


def runs_of(sweep: Sweep, points: list[Point]) -> list[Run]:
    """The runs that train some points, all points of a seed before the next seed."""
    return [run_of(sweep, each, seed) for seed in sweep.seeds for each in points]


def run_of(sweep: Sweep, point: Point, seed: int, kind: str = POINTS, name: str | None = None) -> Run:
    """The run that trains a point with a seed.

    Args:
      sweep: the sweep.
      point: the point.
      seed: the seed.
      kind: the folder of the runs in that of the sweep.
      name: the run's folder in there; the point's id when None.
    """
    values = {**point.values, SEED: seed}
    config = values.pop("config", None)
    first = {} if config is None else _content(config_path(sweep.root, config), sweep.name)  # the others override it
    settings = merged(first, from_words(sweep.options, sweep.root, sweep.name), nested(values))
    require_sections(settings, sweep.name)
    return Run(f"sweeps/{sweep.name}", kind, name or point.id, seed, fingerprint(settings), settings, point.values)
