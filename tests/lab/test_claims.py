import math
from typing import Any

import pytest

from augrnn.lab.claims import AllOf, Claim, Mean, SuccessRate, Typical
from augrnn.lab.results import Observations, Results

NONE = None


def seen(*values: float | None, missing: int = 0, excluded: int = 0) -> Observations:
    return Observations(values, missing, excluded)


@pytest.mark.parametrize(
    ("observed", "state"),
    [
        (seen(*[1.0] * 9, 0.0), "reproduced"),  # 9 / 10 is not below 0.9 by a rounding error
        (seen(*[1.0] * 6, *[0.0] * 4), "partly"),
        (seen(*[1.0] * 4, *[0.0] * 6), "not reproduced"),
        (seen(*[1.0] * 8, NONE, NONE), "partly"),  # failed runs count as failing
        (seen(*[1.0] * 9, missing=1), "not run"),
        (seen(excluded=3), "not run"),
    ],
)
def test_success_rate(observed: Observations, state: str) -> None:
    assert SuccessRate(needed=0.9, partly=0.5).judge(observed, "").state == state


def test_success_rate_tells_value_interval_and_who_was_left_out() -> None:
    verdict = SuccessRate(needed=0.9).judge(seen(*[1.0] * 8, NONE, excluded=1), "")
    assert verdict.value == pytest.approx(8 / 9)
    assert verdict.interval == pytest.approx((0.5650, 0.9801), abs=1e-3)
    assert verdict.seeds == 9
    assert verdict.text == "8 of 9 seeds [57%, 98%] (1 without a value, 1 left out)"


@pytest.mark.parametrize(
    ("rule", "observed", "state"),
    [
        (Typical("at most", 10), seen(9.0, 10.0, 50.0), "reproduced"),
        (Typical("at most", 10, partly=20), seen(9.0, 15.0, 50.0), "partly"),
        (Typical("at most", 10, partly=20), seen(9.0, 21.0, 50.0), "not reproduced"),
        (Typical("at least", 10), seen(9.0, 10.0, 50.0), "reproduced"),
        (Typical("at least", 10, partly=5), seen(4.0, 9.0, 50.0), "partly"),
        (Typical("at least", 10), seen(9.0, 9.0, 50.0), "not reproduced"),
        (Typical("at most", 10), seen(1.0, 2.0, missing=1), "not run"),
        (Typical("at most", 10), seen(), "not run"),
    ],
)
def test_typical(rule: Typical, observed: Observations, state: str) -> None:
    assert rule.judge(observed, "bits").state == state


@pytest.mark.parametrize("direction", ["at most", "at least"])
def test_typical_counts_failed_seeds_as_infinitely_bad(direction: Any) -> None:
    rule = Typical(direction, 10)
    assert rule.judge(seen(10.0, 10.0, NONE), "bits").state == "reproduced"
    verdict = rule.judge(seen(10.0, NONE, math.nan), "bits")
    assert verdict.state == "not reproduced"
    assert verdict.value is None
    assert "2 without a value" in verdict.text


def test_typical_tells_the_value_in_its_unit() -> None:
    verdict = Typical("at most", 60_000).judge(seen(41_200.0, 41_200.0), "sequences")
    assert verdict.text == "41,200 sequences [41,200, 41,200], 2 seeds"
    assert Typical("at most", 60_000).describe("sequences") == "median at most 60,000 sequences"
    assert Typical("at most", 0.05).judge(seen(0.01234), "bits").text == "0.0123 bits, 1 seed"


@pytest.mark.parametrize(
    ("rule", "observed", "state"),
    [
        (Mean("at most", 10), seen(0.0, 0.0, 30.0), "reproduced"),
        (Mean("at most", 10, partly=20), seen(0.0, 0.0, 31.0), "partly"),  # where the median is 0
        (Mean("at most", 10, partly=20), seen(0.0, 0.0, 61.0), "not reproduced"),
        (Mean("at least", 10), seen(1.0, 1.0, 28.0), "reproduced"),
        (Mean("at least", 10, partly=5), seen(1.0, 1.0, 27.0), "partly"),
        (Mean("at least", 10, partly=5), seen(10.0, 10.0, NONE), "not reproduced"),
        (Mean("at most", 10), seen(1.0, missing=1), "not run"),
        (Mean("at most", 10), seen(excluded=1), "not run"),
    ],
)
def test_mean(rule: Mean, observed: Observations, state: str) -> None:
    assert rule.judge(observed, "bits").state == state


def test_mean_tells_its_value_interval_and_failed_seeds() -> None:
    values = [0.0, 1.0, 2.0, 3.0, 50.0]
    verdict = Mean("at most", 5, partly=15).judge(seen(*values), "% wrong")
    assert (verdict.state, verdict.value, verdict.seeds) == ("partly", pytest.approx(11.2), 5)
    assert verdict.interval is not None
    low, high = verdict.interval
    assert low is not None
    assert high is not None
    assert 0 < low < 11.2 < high < 50
    assert verdict.text.startswith("11.2 % wrong [")
    assert Mean("at most", 5).describe("% wrong") == "mean at most 5 % wrong"
    failed = Mean("at most", 5).judge(seen(1.0, 2.0, NONE), "% wrong")
    assert (failed.state, failed.value) == ("not reproduced", None)
    assert failed.text.startswith("unbounded % wrong [")
    assert failed.text.endswith("3 seeds (1 without a value)")


def test_rules_of_two_kinds_differ() -> None:
    assert Mean("at most", 5) != Typical("at most", 5)
    assert Mean("at most", 5) == Mean("at most", 5)


def test_all_of_is_as_weak_as_its_weakest_part() -> None:
    observed = {"noun": seen(0.95, 0.95), "colour": seen(0.80, 0.80), "crossing": seen(0.7, 0.7)}
    verdict = AllOf(Typical("at least", 0.75, partly=0.6)).judge(observed, "")
    assert (verdict.state, verdict.value) == ("partly", 0.7)
    assert all(name in verdict.text for name in observed)
    rules = {"noun": Typical("at least", 0.9), "colour": Typical("at least", 0.8), "crossing": Typical("at least", 0.6)}
    verdict = AllOf(rules).judge(observed, "")
    assert (verdict.state, verdict.value) == ("reproduced", 0.8)  # the least margin beyond its bar
    missing = {**observed, "noun": seen(0.95, missing=1)}
    assert AllOf(rules).judge(missing, "").state == "not run"


def test_all_of_wants_a_rule_for_each_name() -> None:
    with pytest.raises(ValueError, match="observes"):
        AllOf({"noun": SuccessRate(0.5)}).judge({"verb": seen(1.0)}, "")
    with pytest.raises(TypeError, match="named"):
        AllOf(SuccessRate(0.5)).judge(seen(1.0), "")
    with pytest.raises(TypeError, match="AllOf"):
        SuccessRate(0.5).judge({"noun": seen(1.0)}, "")


def test_a_scale_without_a_rule_judges_nothing() -> None:
    claim = Claim("x", "It works.", "section 1", lambda results: seen(1.0), {"small": SuccessRate(0.5)}, "1", "none")
    assert claim.judge(Results("a/b", "smoke", {}, {})).state == "unjudged"
    assert claim.judge(Results("a/b", "small", {}, {})).state == "reproduced"
    assert claim.bar("small") == "at least 50% of seeds"
    assert claim.bar("smoke") == ""


def test_observations_of_several_variants_are_one_set() -> None:
    together = Observations.together([seen(1.0, None, missing=1), seen(2.0, excluded=3), seen(missing=2)])
    assert together == seen(1.0, None, 2.0, missing=3, excluded=3)
