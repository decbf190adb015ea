"""Quantities of experiments in which a side is easily taken for the other, on results that are made up."""

import itertools
from collections.abc import Mapping
from typing import Any

from augrnn.lab.experiment import load
from augrnn.lab.places import own_place
from augrnn.lab.results import Observations, Observed, Results, RunRecord

MEMORY = "model.init_args.cell.init_args.memory"
HEADS = "model.init_args.cell.init_args.heads"
RATE = "model.init_args.optimizer.init_args.lr"


def observed(experiment: str, claim: str, results: Results) -> Observed:
    claims = {each.name: each for each in load(experiment, own_place()).claims}
    return claims[claim].quantity(results)


def sweep(name: str, options: tuple[str, ...], costs: Mapping[tuple[Any, ...], list[float | None]]) -> Results:
    """Points of a sweep by their options, with the cost of each seed; None for a run that failed."""
    points = {" ".join(map(str, values)): dict(zip(options, values, strict=True)) for values in costs}
    runs = {
        (point, seed): RunRecord(point, seed, "failed")
        if cost is None
        else RunRecord(point, seed, "finished", {"val/cost_bits": cost})
        for point, found in zip(points, costs.values(), strict=True)
        for seed, cost in enumerate(found)
    }
    return Results("", name, dict.fromkeys(points, 3), runs, points)


def test_the_constant_memory_wins_where_its_cost_is_lower_at_the_best_rate_of_each() -> None:
    costs: dict[tuple[Any, ...], list[float | None]] = {
        (memory, heads, rate): [9.0, 9.0, 9.0]
        for memory, heads, rate in itertools.product(("blank", "random"), (1, 2), (0.001, 0.01))
    }
    costs["blank", 1, 0.01] = [1.0, 2.0, 5.0]
    costs["random", 1, 0.001] = [3.0, 3.0, 3.0]
    costs["random", 1, 0.01] = [0.0, None, None]
    costs["blank", 2, 0.001] = [4.0, 4.0, None]
    costs["random", 2, 0.01] = [1.0, 5.0, 1.0]
    found = observed("ntm/copy", "constant-memory", sweep("copy-ntm", (MEMORY, HEADS, RATE), costs))
    assert found == {"1 head": Observations((1.0, 1.0, 0.0)), "2 heads": Observations((0.0, 1.0, None))}


def test_machines_with_memory_and_the_lstm_are_compared_at_the_best_rate_of_each() -> None:
    dnc, ntm, lstm = (f"configs/associative-recall/{name}.yaml" for name in ("dnc", "ntm-feedforward", "lstm"))
    costs: dict[tuple[Any, ...], list[float | None]] = {
        (dnc, 0.001): [8.0, 8.0, 8.0],
        (dnc, 0.01): [0.5, 0.25, 0.0],
        (ntm, 0.001): [2.0, None, 4.0],
        (ntm, 0.01): [0.0, None, None],
        (lstm, 0.001): [2.0, 3.0, 4.0],
        (lstm, 0.01): [1.0, 9.0, 9.0],
    }
    found = observed("dnc/associative-recall", "memory-beats-lstm", sweep("recall-dnc-ntm", ("config", RATE), costs))
    assert found == {
        "DNC": Observations((4.0, 12.0, 4e6)),
        "NTM, feedforward controller": Observations((1.0, None, 1.0)),
    }


def test_an_ensemble_is_compared_with_the_mean_of_its_own_members_and_not_judged_without_one() -> None:
    bleu = {("en-fr", 0): 60.0, ("en-fr", 1): 62.0, ("en-fr", 2): 70.0, ("en-fr-ensemble", 0): 63.0}
    bleu |= {("en-de", 0): 40.0, ("en-de-ensemble", 0): 42.0}
    runs = {
        (name, seed): RunRecord(name, seed, "finished", {"test_2016_flickr/bleu": value, "members": 2})
        for (name, seed), value in bleu.items()
    }
    planned = {"en-fr": 3, "en-de": 3, "en-fr-ensemble": 1, "en-de-ensemble": 1}
    found = observed("attention/strong-translation", "ensemble", Results("", "small", planned, runs))
    assert found == {
        "French": Observations((63.0,)),
        "German": Observations((42.0,)),
        "French, above its members": Observations((2.0,)),
        "German, above its members": Observations((), missing=1),
    }
    runs["en-fr-ensemble", 0] = RunRecord("en-fr-ensemble", 0, "failed")
    del runs["en-de-ensemble", 0]
    found = observed("attention/strong-translation", "ensemble", Results("", "small", planned, runs))
    assert isinstance(found, Mapping)
    assert found["French, above its members"] == Observations((None,))
    assert found["German, above its members"] == Observations((), missing=1)


def test_accuracy_on_tables_is_at_the_wider_range_of_questions_from_all_templates() -> None:
    measures = {"right": {"10": 0.1, "20": 0.2}, "right_of_all": {"10": 0.9, "20": 0.8}}
    runs = {("columns-3", 0): RunRecord("columns-3", 0, "finished", measures)}
    results = Results("programmer/tables", "small", {"columns-3": 1}, runs)
    for claim, value in {"solves-tables": 80.0, "unseen-templates": 20.0, "larger-numbers": 10.0}.items():
        found = observed("programmer/tables", claim, results)
        assert isinstance(found, Mapping)
        assert [round(each, 6) for each in found["3 columns"].values if each is not None] == [value]
