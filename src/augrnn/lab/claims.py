"""A paper's claim, the rule fixed beforehand that judges it, and the verdict.

A rule sees one value a seed. A seed that failed, or never got there, has the value None and counts against the claim;
a seed that has not run makes the verdict "not run". No seed is dropped silently. A claim without a rule at a scale is
"unjudged" there: the scale is too small to say anything of it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, Protocol

from augrnn.lab import statistics
from augrnn.lab.results import Observations, Observed, Results, rounded
from augrnn.lab.statistics import Interval

State = Literal["reproduced", "partly", "not reproduced", "not run", "unjudged"]
STATES: tuple[State, ...] = ("unjudged", "not run", "not reproduced", "partly", "reproduced")
"""From weakest to strongest."""

Units = str | Mapping[str, str]
"""The unit of a claim's numbers, or one for each name of its parts."""


@dataclass(frozen=True)
class Verdict:
    """What became of a claim at one scale.

    Attributes:
      state: one of STATES.
      value: the judged number; None where there is none (not run, or unbounded).
      interval: its 95 % interval; None where there is none, an end None where unbounded.
      seeds: how many seeds were judged.
      text: value, interval and seeds in words.
      margin: how far the value lies beyond the bar, relative to the bar; orders the parts of an AllOf.
    """

    state: State
    value: float | None = None
    interval: Interval | None = None
    seeds: int = 0
    text: str = ""
    margin: float = field(default=0.0, compare=False)

    def rounded(self) -> "Verdict":
        """The same with the numbers that a record keeps."""
        interval = None if self.interval is None else (rounded(self.interval[0]), rounded(self.interval[1]))
        return replace(self, value=rounded(self.value), interval=interval)

    def content(self, claim: str) -> dict[str, Any]:
        """A record's entry: the verdict on a claim as plain JSON values."""
        numbers = {"value": self.value, "interval": self.interval, "seeds": self.seeds, "text": self.text}
        return {"claim": claim, "verdict": self.state, **numbers}

    @property
    def known(self) -> bool:
        """Whether a rule has judged every seed."""
        return self.state not in ("unjudged", "not run")

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> "Verdict":
        """The verdict in an entry of a record."""
        ends = content["interval"]
        interval = None if ends is None else (ends[0], ends[1])
        return cls(content["verdict"], content["value"], interval, content["seeds"], content["text"])


class Rule(Protocol):
    """Turns observations into a verdict."""

    def judge(self, observed: Observed, unit: Units) -> Verdict:
        """The verdict on these observations, measured in `unit`."""

    def describe(self, unit: Units) -> str:
        """What has to hold, in words."""


def _plain(observed: Observed) -> Observations:
    if isinstance(observed, Observations):
        return observed
    raise TypeError("this rule judges one set of observations; wrap it in AllOf to judge several")


def _unit_of(name: str, unit: Units) -> str:
    return unit if isinstance(unit, str) else unit[name]


def _plain_unit(unit: Units) -> str:
    if isinstance(unit, str):
        return unit
    raise TypeError("this rule judges one set of observations, and the claim has a unit for each of several")


def _not_run(observations: Observations) -> Verdict | None:
    if observations.missing:
        planned = len(observations.values) + observations.excluded + observations.missing
        return Verdict("not run", text=f"{observations.missing} of {planned} seeds have not finished")
    if not observations.values:
        left_out = f" ({observations.excluded} left out)" if observations.excluded else ""
        return Verdict("not run", text=f"no seed to judge{left_out}")
    return None


def _asides(observations: Observations, lacking: str) -> str:
    none = sum(value is None for value in observations.values)
    notes = [f"{none} {lacking}"] if none else []
    notes += [f"{observations.excluded} left out"] if observations.excluded else []
    return f" ({', '.join(notes)})" if notes else ""


@dataclass(frozen=True)
class SuccessRate:
    """The share of seeds for which the quantity is true, with Wilson's interval.

    Args:
      needed: the least share that reproduces the claim.
      partly: the least share that reproduces it partly; None for no such state.
    """

    needed: float
    partly: float | None = None

    def judge(self, observed: Observed, unit: Units) -> Verdict:
        observations = _plain(observed)
        if not_run := _not_run(observations):
            return not_run
        seeds, successes = len(observations.values), sum(bool(value) for value in observations.values)
        rate, (low, high) = successes / seeds, statistics.wilson(successes, seeds)
        words = f"{successes} of {_seeds(seeds)} [{low or 0:.0%}, {high or 0:.0%}]"
        state = _state(rate - self.needed, None if self.partly is None else rate - self.partly)
        text = words + _asides(observations, "without a value")
        return Verdict(state, rate, (low, high), seeds, text, rate - self.needed)

    def describe(self, unit: Units) -> str:
        return f"at least {self.needed:.0%} of seeds"


@dataclass(frozen=True)
class _Against:
    """A statistic over seeds against a bar, with its bootstrap interval."""

    word: ClassVar[str]
    statistic: ClassVar[Callable[[Sequence[float]], float]]

    direction: Literal["at least", "at most"]
    bar: float
    partly: float | None = None

    def judge(self, observed: Observed, unit: Units) -> Verdict:
        observations, statistic = _plain(observed), type(self).statistic
        if not_run := _not_run(observations):
            return not_run
        worst = -math.inf if self.direction == "at least" else math.inf
        values = [worst if value is None else value for value in observations.values]
        found = statistic(values)
        interval = statistics.bootstrap(values, statistic)
        finite = found if math.isfinite(found) else None
        text = f"{_number(finite)} {_plain_unit(unit)}".strip() + _brackets(interval) + f", {_seeds(len(values))}"
        state = _state(self._beyond(found, self.bar), self._beyond(found, self.partly))
        margin = (self._beyond(found, self.bar) or 0.0) / (abs(self.bar) or 1.0)
        return Verdict(state, finite, interval, len(values), text + _asides(observations, "without a value"), margin)

    def describe(self, unit: Units) -> str:
        return f"{self.word} {self.direction} {_number(self.bar)} {_plain_unit(unit)}".strip()

    def _beyond(self, value: float, bar: float | None) -> float | None:
        if bar is None:
            return None
        return value - bar if self.direction == "at least" else bar - value


class Typical(_Against):
    """The typical seed's value, the median, against a bar, with a bootstrap interval.

    A seed without a value counts as infinitely far on the wrong side of the bar.

    Args:
      direction: the side of the bar that reproduces the claim.
      bar: the bar, in the claim's unit.
      partly: a weaker bar that reproduces the claim partly; None for no such state.
    """

    word, statistic = "median", statistics.median


class Mean(_Against):
    """The mean over seeds against a bar, with a bootstrap interval: for papers that give means over many seeds.

    One seed without a value puts the mean infinitely far on the wrong side of the bar.

    Args:
      direction, bar, partly: as for `Typical`.
    """

    word, statistic = "mean", statistics.mean


@dataclass(frozen=True)
class AllOf:
    """Several sets of observations must each pass; the weakest decides and gives the value.

    Args:
      rules: one rule for all, or one for each name that the claim's quantity gives.
    """

    rules: Rule | Mapping[str, Rule]

    def judge(self, observed: Observed, unit: Units) -> Verdict:
        if isinstance(observed, Observations):
            raise TypeError("AllOf judges several named sets of observations, and this claim gives one")
        if isinstance(self.rules, Mapping) and set(self.rules) != set(observed):
            raise ValueError(f"AllOf has rules for {sorted(self.rules)}, the claim observes {sorted(observed)}")
        parts = {
            name: self._rule(name).judge(observations, _unit_of(name, unit)) for name, observations in observed.items()
        }
        weakest = min(parts.values(), key=lambda verdict: (STATES.index(verdict.state), verdict.margin))
        text = "; ".join(f"{name}: {verdict.text}" for name, verdict in parts.items())
        return Verdict(weakest.state, weakest.value, weakest.interval, weakest.seeds, text, weakest.margin)

    def describe(self, unit: Units) -> str:
        if not isinstance(self.rules, Mapping):
            return f"each {self.rules.describe(unit)}"
        return "; ".join(f"{name}: {rule.describe(_unit_of(name, unit))}" for name, rule in self.rules.items())

    def _rule(self, name: str) -> Rule:
        return self.rules[name] if isinstance(self.rules, Mapping) else self.rules


@dataclass(frozen=True)
class Claim:
    """One finding of a paper, and how it is judged.

    Attributes:
      name: short and unique in the experiment ("generalises").
      sentence: what the paper says, in its words.
      source: where ("section 4.1, figure 4").
      quantity: from all runs of a scale to one value a seed; see `Results.each` and `Results.paired`.
      rules: for each scale that can judge the claim, the rule, fixed before the runs.
      paper: the paper's number, with its unit.
      public: the best public reproduction's number.
      unit: the quantity's unit, in words that end "the median is 3 ..."; or one for each part of the quantity.
      contested: the paper that says the opposite, where one does ("Banino et al. 2021").
    """

    name: str
    sentence: str
    source: str
    quantity: Callable[[Results], Observed]
    rules: Mapping[str, Rule]
    paper: str
    public: str
    unit: Units = ""
    contested: str = ""

    def judge(self, results: Results) -> Verdict:
        """The verdict at the scale that the results are from."""
        rule = self.rules.get(results.scale)
        if rule is None:
            return Verdict("unjudged")
        return rule.judge(self.quantity(results), self.unit)

    def bar(self, scale: str) -> str:
        """What has to hold at a scale, in words."""
        return self.rules[scale].describe(self.unit) if scale in self.rules else ""


def _state(beyond: float | None, beyond_partly: float | None) -> State:
    slack = 1e-12  # 9 / 10 - 0.9 must not miss its bar by a rounding error
    if beyond is not None and beyond >= -slack:
        return "reproduced"
    return "partly" if beyond_partly is not None and beyond_partly >= -slack else "not reproduced"


def _seeds(count: int) -> str:
    return f"{count} seed" if count == 1 else f"{count} seeds"


def _number(value: float | None) -> str:
    if value is None:
        return "unbounded"
    return f"{value:,.0f}" if abs(value) >= 1000 or value == round(value) else f"{value:.3g}"


def _brackets(interval: Interval | None) -> str:
    if interval is None:
        return ""
    low, high = interval
    return f" [{'-inf' if low is None else _number(low)}, {'inf' if high is None else _number(high)}]"
