"""A paper's claim, the rule fixed beforehand that judges it, and the verdict.

A rule sees one value a seed. A seed that failed, or never got there, has the value None and counts against the claim;
a seed that has not run makes the verdict "not run". No seed is dropped silently. A claim on how the task is solved is
"unsolved" where no seed solved it. A claim without a rule at a scale is "unjudged" there: the scale is too small to say
anything of it.

**Thin.** A verdict is thin where it rests on fewer than five seeds, or where it would be another one at an end of its
interval: the interval of what is reproduced has to be wholly on the good side of the bar, that of what is not
reproduced wholly on the bad side of the weakest bar, and that of what is partly reproduced between the two bars. An end
on a bar meets it. Of several quantities, what is reproduced needs this of each; for what is not reproduced one that
fails beyond doubt is enough; what is partly reproduced needs that none can fall below the weaker bar, and that one
is short of the full bar beyond doubt. The mark changes no verdict.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import stdev
from typing import Any, ClassVar, Literal, Protocol

from augrnn.lab import statistics
from augrnn.lab.results import Observations, Observed, Results, rounded
from augrnn.lab.statistics import Interval

State = Literal["reproduced", "partly", "not reproduced", "unsolved", "not run", "unjudged"]
STATES: tuple[State, ...] = ("unjudged", "not run", "unsolved", "not reproduced", "partly", "reproduced")
"""From weakest to strongest."""

FEW = 5
"""Seeds below which a verdict is thin."""

REACHES = "interval reaches the bar"
"""Why a verdict is thin that would be another one at an end of its interval."""

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
      possible: the weakest and the strongest verdict that the seeds leave possible: those at the ends of the interval,
        and any from few seeds; None where nothing was judged.
      thin: why the verdict is thin, a reason each ("3 seeds", REACHES); empty where it is not. Records do not keep it:
        it follows from their runs.
    """

    state: State
    value: float | None = None
    interval: Interval | None = None
    seeds: int = 0
    text: str = ""
    margin: float = field(default=0.0, compare=False)
    possible: tuple[State, State] | None = field(default=None, compare=False)
    thin: tuple[str, ...] = field(default=(), compare=False)

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
        """Whether a rule has looked at every seed."""
        return self.state not in ("unjudged", "not run")

    @property
    def mark(self) -> str:
        """What is shown beside the state of a thin verdict, "thin: 3 seeds"; empty where it is not thin."""
        return f"thin: {', '.join(self.thin)}" if self.thin else ""

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


def _not_judged(observations: Observations) -> Verdict | None:
    if observations.missing:
        planned = len(observations.values) + observations.excluded + observations.missing
        return Verdict("not run", text=f"{observations.missing} of {planned} seeds have not finished")
    if observations.values:
        return None
    if not observations.excluded:
        return Verdict("not run", text="no seed to judge")
    text = f"none of {_seeds(observations.excluded)} solved the task"
    return Verdict("unsolved", text=text, thin=_few(observations.excluded))


def _few(seeds: int) -> tuple[str, ...]:
    return (_seeds(seeds),) if seeds < FEW else ()


def _evidence(verdict: Verdict, few: tuple[str, ...], at_ends: Iterable[State]) -> Verdict:
    """A verdict on one set of observations with what its seeds leave possible, and why it is thin.

    Args:
      verdict: the verdict.
      few: of which seeds there are too few.
      at_ends: what the verdict would be within its interval.
    """
    states = sorted({verdict.state, *at_ends}, key=STATES.index)
    possible: tuple[State, State] = ("not reproduced", "reproduced") if few else (states[0], states[-1])
    return replace(verdict, possible=possible, thin=(*few, REACHES) if len(states) > 1 else few)


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
        if not_judged := _not_judged(observations):
            return not_judged
        seeds, successes = len(observations.values), sum(bool(value) for value in observations.values)
        rate, (low, high) = successes / seeds, statistics.wilson(successes, seeds)
        words = f"{successes} of {_seeds(seeds)} [{low or 0:.0%}, {high or 0:.0%}]"
        text = words + _asides(observations, "without a value")
        verdict = Verdict(self._state(rate), rate, (low, high), seeds, text, rate - self.needed)
        return _evidence(verdict, _few(seeds), (self._state(low or 0), self._state(high or 0)))

    def describe(self, unit: Units) -> str:
        return f"at least {self.needed:.0%} of seeds"

    def _state(self, rate: float) -> State:
        return _state(rate - self.needed, None if self.partly is None else rate - self.partly)


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
        if not_judged := _not_judged(observations):
            return not_judged
        worst = -math.inf if self.direction == "at least" else math.inf
        values = [worst if value is None else value for value in observations.values]
        found = statistic(values)
        interval = statistics.bootstrap(values, statistic)
        finite = found if math.isfinite(found) else None
        text = f"{self._told(finite)} {_plain_unit(unit)}".strip()
        text += _brackets(interval, self._told) + f", {_seeds(len(values))}"
        text += _asides(observations, "without a value")
        margin = (self._beyond(found, self.bar) or 0.0) / (abs(self.bar) or 1.0)
        verdict = Verdict(self._state(found), finite, interval, len(values), text, margin)
        at_ends = [self._state(worst if end is None else end) for end in interval or ()]
        return _evidence(verdict, _few(len(values)), at_ends)

    def describe(self, unit: Units) -> str:
        return f"{self.word} {self.direction} {_number(self.bar, DIGITS)} {_plain_unit(unit)}".strip()

    def _told(self, value: float | None) -> str:
        """A value with as many digits as it takes to see its side of the bars, three at least."""
        if value is None:
            return _number(value)
        texts = (_number(value, digits) for digits in range(3, DIGITS + 1))
        return next((text for text in texts if self._state(_read(text)) == self._state(value)), _number(value, DIGITS))

    def _state(self, value: float) -> State:
        return _state(self._beyond(value, self.bar), self._beyond(value, self.partly))

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
        return _evidence_of_all(replace(weakest, text=text), list(parts.values()))

    def describe(self, unit: Units) -> str:
        if not isinstance(self.rules, Mapping):
            return f"each {self.rules.describe(unit)}"
        return "; ".join(f"{name}: {rule.describe(_unit_of(name, unit))}" for name, rule in self.rules.items())

    def _rule(self, name: str) -> Rule:
        return self.rules[name] if isinstance(self.rules, Mapping) else self.rules


def _evidence_of_all(verdict: Verdict, parts: Sequence[Verdict]) -> Verdict:
    """The verdict on all parts with what their seeds leave possible together, and why it is thin."""
    possible = [part.possible for part in parts if part.possible is not None]
    if len(possible) < len(parts):
        return verdict  # a part was not judged, and none can be weaker than that
    low = min((low for low, _ in possible), key=STATES.index)
    high = min((high for _, high in possible), key=STATES.index)
    if low == high:
        return replace(verdict, possible=(low, high), thin=())
    state = STATES.index(verdict.state)
    doubtful = [
        part
        for part, (least, _) in zip(parts, possible, strict=True)
        if STATES.index(part.state) == state or STATES.index(least) < state
    ]
    reasons = dict.fromkeys(reason for part in doubtful for reason in part.thin)
    return replace(verdict, possible=(low, high), thin=tuple(reasons))


@dataclass(frozen=True)
class AsPublished:
    """The mean over seeds inside the prediction interval of the seeds that somebody published.

    Where n published seeds have the mean x and the standard deviation s (that of a sample, with n - 1 below), the mean
    of m further seeds of the same model lies within

        x +- t(n - 1, .975) s sqrt(1/n + 1/m)

    in 95 of 100 cases, if seeds are normally distributed (Hahn and Meeker 1991: Statistical Intervals, chapter 4;
    CORE-Bench, Siegel et al. 2024, judges single reruns by it). Here m is the number of our seeds, one or more. A value
    beyond either end is not as published, be it better or worse, and a seed without a value puts the mean beyond them.
    The verdict is thin where our bootstrap interval is neither wholly inside nor wholly outside, and where fewer than
    five seeds were published.

    Args:
      mean: of the published seeds, in the claim's unit.
      deviation: their standard deviation.
      seeds: how many they are, at least 2.

    Raises:
      ValueError: the published seeds are fewer than 2, not finite, or do not differ.
    """

    mean: float
    deviation: float
    seeds: int

    def __post_init__(self) -> None:
        if self.seeds < 2 or not 0 < self.deviation < math.inf or not math.isfinite(self.mean):
            raise ValueError("a prediction interval needs at least two published seeds, finite ones that differ")

    @classmethod
    def of(cls, values: Sequence[float]) -> "AsPublished":
        """The rule for published seeds whose values are known one by one."""
        deviation = stdev(values) if all(map(math.isfinite, values)) else math.inf
        return cls(statistics.mean(values), deviation, len(values))

    def judge(self, observed: Observed, unit: Units) -> Verdict:
        observations = _plain(observed)
        if not_judged := _not_judged(observations):
            return not_judged
        values = [math.inf if value is None else value for value in observations.values]
        found, interval = statistics.mean(values), statistics.bootstrap(values, statistics.mean)
        low, high = statistics.prediction(self.mean, self.deviation, self.seeds, len(values))
        slack = 1e-12 * max(abs(low), abs(high))
        inside: State = "reproduced" if low - slack <= found <= high + slack else "not reproduced"
        finite = found if math.isfinite(found) else None
        text = f"{_number(finite)} {_plain_unit(unit)}".strip() + _brackets(interval) + f", {_seeds(len(values))}"
        text += f", predicted{_brackets((low, high))}" + _asides(observations, "without a value")
        margin = 1 - abs(found - self.mean) / (high - self.mean)
        verdict = Verdict(inside, finite, interval, len(values), text, margin)
        few = _few(len(values)) + ((f"{self.seeds} published seeds",) if self.seeds < FEW else ())
        return _evidence(verdict, few, _within(interval, low, high))

    def describe(self, unit: Units) -> str:
        seeds = f"mean {_number(self.mean)}, standard deviation {_number(self.deviation)}"
        return f"mean within the prediction interval of {self.seeds} published seeds ({seeds})"


def _within(interval: Interval | None, low: float, high: float) -> tuple[State, ...]:
    """Whether an interval has places inside low to high, and places outside."""
    if interval is None:
        return ()
    least, most = (math.inf if end is None else end for end in interval)
    outside: tuple[State, ...] = ("not reproduced",) if least < low or most > high else ()
    return (*outside, "reproduced") if least <= high and most >= low else outside


@dataclass(frozen=True)
class Claim:
    """One finding of a paper, and how it is judged.

    Attributes:
      name: short and unique in the experiment ("generalises").
      sentence: what the paper says, in its words.
      source: where ("section 4.1, figure 4").
      quantity: from all runs of a scale to one value a seed; see `Results.each` and `Results.paired`.
      rules: for each scale that can judge the claim, the rule, fixed before the runs; or for one sweep, by its name.
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


DIGITS = 12
"""The most digits that a number is told with."""


def _number(value: float | None, digits: int = 3) -> str:
    """A number to so many digits, but with all those before the point."""
    if value is None:
        return "unbounded"
    if abs(value) >= 1000 and digits < DIGITS:
        return f"{value:,.{digits - 3}f}"
    return f"{value:,.0f}" if value == round(value) else f"{value:,.{digits}g}"


def _read(text: str) -> float:
    return float(text.replace(",", ""))


def _brackets(interval: Interval | None, told: Callable[[float], str] = _number) -> str:
    if interval is None:
        return ""
    low, high = interval
    return f" [{'-inf' if low is None else told(low)}, {'inf' if high is None else told(high)}]"
