import math
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augrnn.lab.claims import REACHES, STATES, AllOf, AsPublished, Claim, Mean, Rule, SuccessRate, Typical, Verdict
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
        (seen(excluded=3), "unsolved"),
        (seen(excluded=3, missing=1), "not run"),
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
    ("direction", "bar", "partly", "value", "text"),
    [
        ("at least", 59.02, None, 61.0, "61"),
        ("at least", 59.02, None, 60.1234, "60.1"),
        ("at least", 59.02, None, 59.0243, "59.02"),
        ("at least", 59.02, None, 59.0179, "59"),
        ("at least", 59.02, None, 58.9961, "59"),
        ("at least", 39.0, 37.0, 38.9961, "38.996"),
        ("at least", 39.0, 37.0, 36.996, "36.996"),
        ("at most", 0.5, None, 0.5004, "0.5004"),
        ("at most", 0.5, None, 0.4996, "0.5"),
        ("at most", 0.5, None, 0.0001234, "0.000123"),
        ("at most", 1e-7, None, 2e-8, "2e-08"),
        ("at most", 60_000, None, 60_000.4, "60,000.4"),
        ("at most", 12_345, None, 12_345.3, "12,345.3"),
        ("at most", 1_234_567, None, 1_234_567.03, "1,234,567.03"),
        ("at most", -1.0, None, -0.9996, "-0.9996"),
        ("at most", 0.0, None, 0.00001, "1e-05"),
        ("at most", 60_000, None, 41_200.4, "41,200"),
    ],
)
@pytest.mark.parametrize("rule", [Typical, Mean])
def test_a_value_is_told_with_the_digits_that_show_its_side_of_the_bars(
    rule: Any, direction: Any, bar: float, partly: float | None, value: float, text: str
) -> None:
    judge = rule(direction, bar, partly)
    assert judge.judge(seen(value), "BLEU").text == f"{text} BLEU, 1 seed"
    assert judge.judge(seen(value, value), "").text == f"{text} [{text}, {text}], 2 seeds"


def test_a_bar_is_told_with_all_its_digits() -> None:
    assert Typical("at least", 59.02).describe("BLEU") == "median at least 59.02 BLEU"
    assert Mean("at most", 0.0123).describe("") == "mean at most 0.0123"
    assert Mean("at most", 1e-7).describe("bits") == "mean at most 1e-07 bits"
    assert Mean("at most", 0.30000000000000004).describe("bits") == "mean at most 0.3 bits"
    assert Mean("at most", 1234.5).describe("bits") == "mean at most 1,234.5 bits"
    assert Mean("at most", 41_200).describe("bits") == "mean at most 41,200 bits"


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
        (Mean("at most", 10), seen(excluded=1), "unsolved"),
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


def test_a_claim_on_solved_seeds_says_that_none_solved_it() -> None:
    verdict = Typical("at most", 10).judge(seen(excluded=5), "bits")
    assert (verdict.state, verdict.text) == ("unsolved", "none of 5 seeds solved the task")
    assert (verdict.value, verdict.interval, verdict.seeds, verdict.thin) == (None, None, 0, ())
    assert verdict.known
    assert SuccessRate(0.5).judge(seen(excluded=1), "").text == "none of 1 seed solved the task"
    assert SuccessRate(0.5).judge(seen(excluded=1), "").thin == ("1 seed",)
    parts = {"this": seen(*[1.0] * 5), "that": seen(excluded=5)}
    assert AllOf(SuccessRate(0.5)).judge(parts, "").state == "unsolved"
    assert AllOf(SuccessRate(0.5)).judge(parts, "").text.endswith("; that: none of 5 seeds solved the task")
    assert AllOf(SuccessRate(0.5)).judge({**parts, "other": seen(missing=2)}, "").state == "not run"


@pytest.mark.parametrize(
    ("rule", "successes", "seeds", "state", "thin"),
    [  # Wilson's intervals: 10 of 10 [72, 100], 8 of 10 [49, 94], 5 of 10 [24, 76], 0 of 10 [0, 28], 4 of 4 [51, 100]
        (SuccessRate(0.7), 10, 10, "reproduced", ()),
        (SuccessRate(0.8), 10, 10, "reproduced", (REACHES,)),
        (SuccessRate(0.5), 8, 10, "reproduced", (REACHES,)),
        (SuccessRate(0.4), 8, 10, "reproduced", ()),
        (SuccessRate(0.9, partly=0.2), 5, 10, "partly", ()),
        (SuccessRate(0.9, partly=0.3), 5, 10, "partly", (REACHES,)),  # it may be not reproduced
        (SuccessRate(0.7, partly=0.2), 5, 10, "partly", (REACHES,)),  # it may be reproduced
        (SuccessRate(0.9, partly=0.3), 0, 10, "not reproduced", ()),
        (SuccessRate(0.9, partly=0.2), 0, 10, "not reproduced", (REACHES,)),
        (SuccessRate(0.2), 0, 10, "not reproduced", (REACHES,)),
        (SuccessRate(0.5), 4, 4, "reproduced", ("4 seeds",)),
        (SuccessRate(0.6), 4, 4, "reproduced", ("4 seeds", REACHES)),
        (SuccessRate(0.6), 0, 1, "not reproduced", ("1 seed", REACHES)),
    ],
)
def test_a_share_of_seeds_is_thin(rule: Rule, successes: int, seeds: int, state: str, thin: tuple[str, ...]) -> None:
    verdict = rule.judge(seen(*[1.0] * successes, *[0.0] * (seeds - successes)), "")
    assert (verdict.state, verdict.thin) == (state, thin)


@pytest.mark.parametrize("kind", [Typical, Mean])
@pytest.mark.parametrize(
    ("direction", "bars", "values", "state", "thin"),
    [
        ("at most", (10, None), (5, 6, 7, 8, 9), "reproduced", ()),
        ("at most", (10, None), (10, 10, 10, 10, 10), "reproduced", ()),  # an end on the bar meets it
        ("at most", (7.5, None), (5, 6, 7, 8, 9), "reproduced", (REACHES,)),
        ("at most", (10, None), (11, 12, 13, 14, 15), "not reproduced", ()),
        ("at most", (12.5, None), (11, 12, 13, 14, 15), "not reproduced", (REACHES,)),
        ("at most", (10, 20), (11, 12, 13, 14, 15), "partly", ()),
        ("at most", (12.5, 20), (11, 12, 13, 14, 15), "partly", (REACHES,)),
        ("at most", (10, 13.5), (11, 12, 13, 14, 15), "partly", (REACHES,)),
        ("at most", (5, 10.5), (11, 12, 13, 14, 15), "not reproduced", ()),
        ("at most", (5, 12.5), (11, 12, 13, 14, 15), "not reproduced", (REACHES,)),  # it may be partly
        ("at least", (5, None), (5, 6, 7, 8, 9), "reproduced", ()),
        ("at least", (6.5, None), (5, 6, 7, 8, 9), "reproduced", (REACHES,)),
        ("at least", (9.5, None), (5, 6, 7, 8, 9), "not reproduced", ()),
        ("at least", (7.5, None), (5, 6, 7, 8, 9), "not reproduced", (REACHES,)),
        ("at least", (9.5, 5), (5, 6, 7, 8, 9), "partly", ()),
        ("at least", (9.5, 6.5), (5, 6, 7, 8, 9), "partly", (REACHES,)),
        ("at most", (10, None), (9, 9, 9, 9), "reproduced", ("4 seeds",)),
        ("at most", (7.5, None), (5, 7, 9), "reproduced", ("3 seeds", REACHES)),
        ("at most", (10, None), (9,), "reproduced", ("1 seed",)),  # it has no interval
        ("at most", (10, None), (NONE,) * 5, "not reproduced", ()),  # no end is on the good side, open as both are
        ("at least", (10, None), (NONE,) * 5, "not reproduced", ()),
        ("at most", (10, None), (11, 11, NONE, NONE, NONE), "not reproduced", ()),
    ],
)
def test_a_median_or_a_mean_is_thin(
    kind: Any, direction: Any, bars: Any, values: Any, state: str, thin: tuple[str, ...]
) -> None:
    verdict = kind(direction, *bars).judge(seen(*values), "")
    assert (verdict.state, verdict.thin) == (state, thin)


@pytest.mark.parametrize("direction", ["at most", "at least"])
def test_a_median_of_seeds_that_may_have_failed_is_thin(direction: Any) -> None:
    verdict = Typical(direction, 10).judge(seen(10, 10, 10, NONE, NONE), "")
    assert (verdict.state, verdict.thin) == ("reproduced", (REACHES,))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 9) | st.none(), min_size=5, max_size=7), st.integers(1, 9), st.booleans())
def test_the_mark_is_as_its_definition_says(values: list[Any], bar: int, upwards: bool) -> None:
    """With a weaker bar two below (or above), as the head of the module has it, case by case."""
    weak = bar - 2 if upwards else bar + 2
    verdict = Typical("at least" if upwards else "at most", bar, weak).judge(seen(*values), "")
    low, high = verdict.interval or (None, None)
    failed = -math.inf if upwards else math.inf
    ends = [failed if end is None else end for end in (low, high)]
    worst, best = (min(ends), max(ends)) if upwards else (-max(ends), -min(ends))
    full, half = (bar, weak) if upwards else (-bar, -weak)
    clear = {
        "reproduced": worst >= full,
        "partly": worst >= half and best < full,
        "not reproduced": best < half,
    }
    assert (verdict.thin == ()) == clear[verdict.state]


PARTS = {  # for at least 8, partly 4: what a set of observations leaves possible
    (9, 9, 9, 9, 9): {"reproduced"},
    (6, 6, 6, 6, 6): {"partly"},
    (1, 1, 1, 1, 1): {"not reproduced"},
    (6, 6, 9, 9, 9): {"reproduced", "partly"},
    (6, 6, 6, 9, 9): {"reproduced", "partly"},
    (1, 1, 6, 6, 6): {"partly", "not reproduced"},
    (1, 1, 1, 6, 6): {"partly", "not reproduced"},
    (1, 1, 1, 9, 9): {"reproduced", "partly", "not reproduced"},
    (9, 9, 9): {"reproduced", "partly", "not reproduced"},
    (1, 1, 1): {"reproduced", "partly", "not reproduced"},
}


@pytest.mark.parametrize("parts", list(product(PARTS, PARTS)))
def test_several_quantities_are_thin_where_they_leave_more_than_one_verdict(parts: Any) -> None:
    verdict = AllOf(Typical("at least", 8, partly=4)).judge({str(i): seen(*part) for i, part in enumerate(parts)}, "")
    together = {min(states, key=STATES.index) for states in product(*(PARTS[part] for part in parts))}
    assert verdict.state in together
    assert (verdict.thin == ()) == (len(together) == 1)
    assert set(verdict.thin) <= {"3 seeds", REACHES}


@pytest.mark.parametrize(
    ("first", "second", "state", "thin"),
    [
        ((9, 9, 9), (6, 6, 9, 9, 9), "reproduced", ("3 seeds", REACHES)),
        ((9, 9, 9), (9, 9, 9), "reproduced", ("3 seeds",)),
        ((9, 9, 9), (1, 1, 1, 1, 1), "not reproduced", ()),  # whatever the first is
        ((6, 6, 9, 9, 9), (1, 1, 1), "not reproduced", ("3 seeds",)),
        ((6, 6, 9, 9, 9), (6, 6, 6, 6, 6), "partly", ()),  # the first does not fall below the weaker bar
        ((1, 1, 1, 1), (6, 6, 6, 6, 6), "not reproduced", ("4 seeds",)),
    ],
)
def test_several_quantities_say_why_they_are_thin(first: Any, second: Any, state: str, thin: tuple[str, ...]) -> None:
    verdict = AllOf(Typical("at least", 8, partly=4)).judge({"a": seen(*first), "b": seen(*second)}, "")
    assert (verdict.state, verdict.thin) == (state, thin)


def test_what_is_not_judged_is_not_thin() -> None:
    rule = Typical("at least", 8)
    assert rule.judge(seen(9.0, missing=1), "").thin == ()
    assert AllOf(rule).judge({"a": seen(9.0), "b": seen(9.0, missing=1)}, "").thin == ()
    assert Verdict("unjudged").thin == ()


def test_the_mark_is_no_part_of_a_record() -> None:
    verdict = Typical("at least", 8).judge(seen(9.0), "").rounded()
    assert verdict.mark == "thin: 1 seed"
    read = Verdict.read(verdict.content("x"))
    assert (read, read.mark) == (verdict, "")


@pytest.mark.parametrize(
    ("values", "state", "thin"),
    [  # of one published mean 10 with deviation 2 over 5 seeds, five new seeds have the mean 10 +- 2.776 * 2 * sqrt(.4)
        ((9, 10, 11, 12, 13), "reproduced", ()),
        ((13.5, 13.5, 13.5, 13.5, 13.5), "reproduced", ()),
        ((13.6, 13.6, 13.6, 13.6, 13.6), "not reproduced", ()),
        ((6.4, 6.4, 6.4, 6.4, 6.4), "not reproduced", ()),
        ((11, 12, 13, 14, 15), "reproduced", (REACHES,)),
        ((12, 13, 14, 15, 16), "not reproduced", (REACHES,)),
        ((0, 0, 0, 0, 70), "not reproduced", (REACHES,)),  # both ends are outside, with all of the prediction between
        ((0, 0, 10, 20, 20), "reproduced", (REACHES,)),
        ((9, 10, 11), "reproduced", ("3 seeds",)),
        ((16,), "reproduced", ("1 seed",)),  # 10 +- 6.08
        ((16.2,), "not reproduced", ("1 seed",)),
        ((10, 10, 10, 10, NONE), "not reproduced", (REACHES,)),
        ((NONE,) * 5, "not reproduced", ()),
    ],
)
def test_as_published(values: Any, state: str, thin: tuple[str, ...]) -> None:
    verdict = AsPublished(10, 2, 5).judge(seen(*values), "% wrong")
    assert (verdict.state, verdict.thin) == (state, thin)


def test_as_published_tells_what_was_predicted_and_from_what() -> None:
    rule = AsPublished.of([8, 9, 10, 13])
    assert (rule.mean, rule.deviation, rule.seeds) == (10, pytest.approx(math.sqrt(14 / 3)), 4)
    verdict = rule.judge(seen(*[10.5] * 5, excluded=1), "% wrong")  # 10 +- 3.182 * 2.160 * sqrt(1/4 + 1/5)
    text = "10.5 % wrong [10.5, 10.5], 5 seeds, predicted [5.39, 14.6] (1 left out)"
    assert (verdict.state, verdict.text) == ("reproduced", text)
    assert verdict.thin == ("4 published seeds",)
    both = rule.judge(seen(30.0), "% wrong")
    assert both.thin == ("1 seed", "4 published seeds")
    assert rule.describe("% wrong") == (
        "mean within the prediction interval of 4 published seeds (mean 10, standard deviation 2.16)"
    )
    assert rule.judge(seen(missing=1), "").state == "not run"
    assert rule.judge(seen(excluded=1), "").state == "unsolved"
    parts = AllOf({"a": rule, "b": SuccessRate(0.5)}).judge({"a": seen(*[10.0] * 5), "b": seen(*[1.0] * 5)}, "")
    assert (parts.state, parts.thin) == ("reproduced", ("4 published seeds",))


@pytest.mark.parametrize(
    "published", [(1.0, 0.5, 1), (1.0, 0.0, 5), (1.0, -1.0, 5), (1.0, math.nan, 5), (math.inf, 1.0, 5)]
)
def test_as_published_needs_seeds_that_differ(published: Any) -> None:
    with pytest.raises(ValueError, match="at least two published seeds, finite ones that differ"):
        AsPublished(*published)


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 1.0], [1.0, math.inf]])
def test_as_published_needs_the_seeds_one_by_one_as_well(values: list[float]) -> None:
    with pytest.raises(ValueError, match=r"at least two|finite"):
        AsPublished.of(values)


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
