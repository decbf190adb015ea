"""Quantities of experiments in which a side is easily taken for the other, on results that are made up."""

from collections.abc import Mapping

from augrnn.lab.experiment import load
from augrnn.lab.places import own_place
from augrnn.lab.results import Observed, Results, RunRecord


def observed(experiment: str, claim: str, results: Results) -> Observed:
    claims = {each.name: each for each in load(experiment, own_place()).claims}
    return claims[claim].quantity(results)


def test_accuracy_on_tables_is_at_the_wider_range_of_questions_from_all_templates() -> None:
    measures = {"right": {"10": 0.1, "20": 0.2}, "right_of_all": {"10": 0.9, "20": 0.8}}
    runs = {("columns-3", 0): RunRecord("columns-3", 0, "finished", measures)}
    results = Results("programmer/tables", "small", {"columns-3": 1}, runs)
    for claim, value in {"solves-tables": 80.0, "unseen-templates": 20.0, "larger-numbers": 10.0}.items():
        found = observed("programmer/tables", claim, results)
        assert isinstance(found, Mapping)
        assert [round(each, 6) for each in found["3 columns"].values if each is not None] == [value]
