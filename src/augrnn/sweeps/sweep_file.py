"""The sweep file: the grammar of W&B's sweeps, checked, so that one file serves our launchers and W&B's server.

    method: grid                                   # or random, or bayes
    metric: {name: val/cost_bits, goal: minimize}
    parameters:
      model.init_args.optimizer.init_args.lr: {values: [1.0e-4, 3.0e-4, 1.0e-3]}
      seed_everything: {values: [0, 1, 2]}
    command: [augrnn, fit, --config, configs/copy/ntm-lstm.yaml, --trainer.max_steps=2000, "${args}"]

Parameters are options of `augrnn fit`; W&B describes them under "Sweep configuration options". `seed_everything` is the
axis of seeds: every point is trained with each of its values. `config` may be a parameter as well, and comes first.
"""

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, FiniteFloat, JsonValue, model_validator

from augrnn.lab.committed_sweep import SweepRecord
from augrnn.yaml_files import Strict, read_strict

SEED = "seed_everything"
"""The parameter that is the axis of seeds."""

ARGUMENTS = "${args}"
"""What stands in a command for a point's options."""

WIDEST = 2**53
"""How far apart min and max may be."""

LARGEST_SEED = 2**32 - 1
"""The largest seed that numpy takes."""

MOST = 100_000
"""Runs that a sweep may have."""

Distribution = Literal[
    "constant",
    "categorical",
    "int_uniform",
    "uniform",
    "q_uniform",
    "log_uniform_values",
    "q_log_uniform_values",
    "inv_log_uniform_values",
    "normal",
    "q_normal",
    "log_normal",
    "q_log_normal",
    "beta",
    "q_beta",
]


class Parameter(Strict):
    """One axis: a value, a list of values, or a distribution. W&B's names and defaults."""

    value: JsonValue = None
    values: Annotated[tuple[JsonValue, ...], Field(min_length=1)] | None = None
    probabilities: tuple[FiniteFloat, ...] | None = None
    distribution: Distribution | None = None
    min: int | FiniteFloat | None = None
    max: int | FiniteFloat | None = None
    q: int | FiniteFloat = 1
    mu: FiniteFloat = 0.0
    sigma: Annotated[FiniteFloat, Field(gt=0)] = 1.0
    a: Annotated[FiniteFloat, Field(gt=0)] = 1.0
    b: Annotated[FiniteFloat, Field(gt=0)] = 1.0

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        given = self.model_fields_set
        kinds = [kind for kind in ("value", "values") if kind in given]
        ranged = bool({"min", "max"} & given) or (self.kind not in ("constant", "categorical"))
        if len(kinds) + ranged != 1:
            raise ValueError("give one of value, values, or min and max (or another distribution)")
        if ranged and self.kind in RANGED:
            self._check_range()
        if self.values is not None and self.probabilities is not None:
            if len(self.probabilities) != len(self.values):
                raise ValueError(f"{len(self.values)} values have {len(self.probabilities)} probabilities")
            if abs(sum(self.probabilities) - 1) > 1e-6 or min(self.probabilities) < 0:
                raise ValueError("probabilities must be at least 0 and sum to 1")
        if self.q <= 0:
            raise ValueError("q must be above 0")
        return self

    def _check_range(self) -> None:
        if self.min is None or self.max is None:
            raise ValueError(f"{self.kind} needs min and max")
        if not self.min < self.max:
            raise ValueError(f"min must be below max, not {self.min} and {self.max}")
        if "log" in self.kind and self.min <= 0:
            raise ValueError(f"{self.kind} needs a min above 0")
        if self.kind == "int_uniform" and not (isinstance(self.min, int) and isinstance(self.max, int)):
            raise ValueError("int_uniform needs whole numbers")
        if self.max - self.min > WIDEST:
            raise ValueError(f"{self.min} to {self.max} is too wide: at most {WIDEST:,} apart")

    @property
    def kind(self) -> str:
        """The distribution's name, the one that W&B infers where none is given."""
        if self.distribution is not None:
            return self.distribution
        if "value" in self.model_fields_set:
            return "constant"
        if self.values is not None:
            return "categorical"
        return "int_uniform" if isinstance(self.min, int) and isinstance(self.max, int) else "uniform"

    @property
    def listed(self) -> Sequence[Any] | None:
        """All values, where they can be listed: those of a constant, a list, or whole numbers."""
        match self.kind:
            case "constant":
                return (self.value,)
            case "categorical":
                return self.values
            case "int_uniform":
                assert self.min is not None
                assert self.max is not None
                return range(int(self.min), int(self.max) + 1)
        return None


RANGED = ("int_uniform", "uniform", "q_uniform", "log_uniform_values", "q_log_uniform_values", "inv_log_uniform_values")
"""The distributions that need min and max."""


class Metric(Strict):
    """What the sweep is about: a metric that a run logs."""

    name: str
    goal: Literal["minimize", "maximize"] = "minimize"
    target: float | None = None


class EarlyTerminate(Strict):
    """W&B's hyperband, which is one bracket of it: successive halving. Resources are logged values of the metric."""

    type: Literal["hyperband"]
    min_iter: Annotated[int, Field(ge=1)] = 1
    max_iter: int | None = None
    s: int | None = None
    eta: Annotated[int, Field(ge=2)] = 3
    strict: bool = False


def _finite(value: Any) -> bool:
    """Whether all numbers in a value are finite."""
    if isinstance(value, dict | list | tuple):
        return all(map(_finite, value.values() if isinstance(value, dict) else value))
    return not isinstance(value, float) or math.isfinite(value)


def _word(value: Any) -> Any:
    """A word of a command as text, where YAML has made something else of it."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return str(value) if isinstance(value, int | float) else value


class SweepFile(Strict):
    """The whole file."""

    method: Literal["grid", "random", "bayes"]
    metric: Metric
    parameters: Annotated[dict[str, Parameter], Field(min_length=1)]
    command: tuple[Annotated[str, BeforeValidator(_word)], ...]
    name: str | None = None
    description: str | None = None
    program: str | None = None
    project: str | None = None
    entity: str | None = None
    run_cap: Annotated[int, Field(ge=1, le=MOST)] | None = None
    early_terminate: EarlyTerminate | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name, parameter in self.parameters.items():
            if not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", name):
                raise ValueError(
                    f"{name!r} is not the name of an option: words of letters, digits and _, with dots between"
                )
            if self.method == "grid" and parameter.listed is None:
                raise ValueError(f"grid needs listed values, and {name} is {parameter.kind}: use values, or random")
        if self.method != "grid" and self.run_cap is None:
            raise ValueError(f"{self.method} needs run_cap, the number of points")
        if self.early_terminate is not None and self.method != "bayes":
            raise ValueError("early_terminate needs method bayes here; the points of the others are all trained whole")
        for name, parameter in self.parameters.items():
            if not all(map(_finite, (parameter.value, *(parameter.values or ())))):
                raise ValueError(f"{name} has a value that is infinite or not a number, which no record can hold")
        seeds = self.parameters[SEED].listed if SEED in self.parameters else (0,)
        if seeds is not None and len(seeds) * (self.run_cap or 1) > MOST:
            times = f" with run_cap {self.run_cap:,}" if self.run_cap else ""
            raise ValueError(f"{len(seeds):,} seeds{times} make more than {MOST:,} runs")
        if seeds is None or any(type(seed) is not int or not 0 <= seed <= LARGEST_SEED for seed in seeds):
            raise ValueError(f"{SEED} needs listed whole numbers from 0 to {LARGEST_SEED:,}")
        return self

    @model_validator(mode="after")
    def _our_command(self) -> Self:
        words = list(self.command)
        if words[:1] == ["${env}"]:
            words = words[1:]
        if words[:2] != ["augrnn", "fit"] or words[-1] != ARGUMENTS or any("${" in word for word in words[:-1]):
            raise ValueError(f'command must be [augrnn, fit, ..., "{ARGUMENTS}"], with no other macro')
        if "config" in self.parameters:
            listed = self.parameters["config"].listed
            if listed is None or not all(isinstance(path, str) for path in listed):
                raise ValueError("config needs listed paths: {values: [configs/copy/lstm.yaml, ...]}")
        configs = [word for word in words if word == "--config" or word.startswith("--config=")]
        if bool(configs) == ("config" in self.parameters):
            raise ValueError("name the config either in the command (--config, configs/...) or as the parameter config")
        return self


@dataclass(frozen=True)
class Sweep:
    """A sweep file that has been read.

    Attributes:
      name: the file's name without its ending; the sweep's folder, and its runs' group on the dashboard.
      path: where it is.
      root: what paths in it are relative to.
      file: its content.
    """

    name: str
    path: Path
    root: Path
    file: SweepFile

    @property
    def options(self) -> tuple[str, ...]:
        """The options of `augrnn fit` that all points share."""
        words = self.file.command
        return tuple(words[words.index("fit") + 1 : -1])

    @property
    def axes(self) -> dict[str, Parameter]:
        """The parameters apart from the seed."""
        return {name: parameter for name, parameter in self.file.parameters.items() if name != SEED}

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds that every point is trained with."""
        parameter = self.file.parameters.get(SEED)
        return (0,) if parameter is None else tuple(dict.fromkeys(parameter.listed or ()))


def read_sweep(path: Path, root: Path, name: str | None = None) -> Sweep:
    """Read a sweep file.

    Args:
      path: the file.
      root: what paths in it are relative to.
      name: the sweep's; that of the file when None.

    Raises:
      UserError: it is missing, not YAML, or not of the grammar; one line that names the key.
    """
    file = read_strict(path, SweepFile, "sweep")
    return Sweep(name or path.stem, path.resolve(), root, file)


def recorded_sweep(record: SweepRecord) -> Sweep:
    """The sweep of a record, as its file was when it was made."""
    content: dict[str, Any] = {
        "method": record.method,
        "metric": {"name": record.metric, "goal": record.goal},
        "parameters": record.parameters,
        "command": record.command,
    }
    if record.method != "grid":
        content["run_cap"] = max(1, len(record.rows))
    return Sweep(record.sweep, Path(), Path(), SweepFile.model_validate(content))
