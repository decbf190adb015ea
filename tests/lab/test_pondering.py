"""What experiments on adaptive computation time share, on made-up runs."""

import pytest

from augrnn.lab import pondering
from augrnn.lab.results import Results, RunRecord


def run(variant: str, seed: int, validation: float | None, test: float, status: str = "finished") -> RunRecord:
    curve = {"updates": [1.0, 2.0], "sequences": [1.0, 2.0], "values": [1.0, validation]}
    shares = {"1": 0.0, "10": 0.3, "2": 0.1, "1-10": test}
    measures = {"wrong_sequences": shares} if status == "finished" else {}
    return RunRecord(variant, seed, status, measures, {pondering.WRONG: curve})  # type: ignore[arg-type]


def results(*runs: RunRecord) -> Results:
    planned = dict.fromkeys(("lstm", "act-tau-0.1", "act-tau-0.01", "repeat-2", "repeat-3"), 3)
    return Results("act/logic", "small", planned, {(each.variant, each.seed): each for each in runs})


def test_variants_change_tau_and_steps_of_the_tasks_configs() -> None:
    made = pondering.variants("sort", (0.1, 0.003), (2,))
    assert {name: variant.config for name, variant in made.items()} == {
        "lstm": "configs/sort/lstm.yaml",
        "act-tau-0.1": "configs/sort/act.yaml",
        "act-tau-0.003": "configs/sort/act.yaml",
        "repeat-2": "configs/sort/repeat.yaml",
    }
    assert made["act-tau-0.003"].settings["model"]["init_args"]["objective"]["init_args"] == {"tau": 0.003}
    assert pondering.with_act(made, at_most=0.01) == ["act-tau-0.003"]
    assert pondering.with_fixed_steps(made) == ["repeat-2"]
    sized = pondering.cells(made, input_size=7, hidden_size=5)
    assert sized["lstm"]["model"]["init_args"]["cell"]["init_args"] == {"input_size": 7, "hidden_size": 5}
    for name in ("act-tau-0.1", "repeat-2"):
        inner = sized[name]["model"]["init_args"]["cell"]["init_args"]["cell"]["init_args"]
        assert inner == {"input_size": 8, "hidden_size": 5}


def test_what_is_chosen_is_chosen_on_validation_sequences() -> None:
    found = results(
        *(run("act-tau-0.1", seed, 0.3, test=0.01) for seed in range(3)),
        *(run("act-tau-0.01", seed, value, test=0.2) for seed, value in enumerate((0.1, 0.2, 0.9))),
        *(run("repeat-2", seed, 0.1, test=0.3) for seed in range(3)),
        run("repeat-3", 0, 0.0, test=0.0),
        *(run("repeat-3", seed, None, 0.0, status="failed") for seed in (1, 2)),
    )
    assert pondering.best(found, pondering.with_act(found.planned)) == "act-tau-0.01"
    assert pondering.best(found, ["repeat-2", "repeat-3"]) == "repeat-2"
    assert pondering.worse_than_act(found).values == pytest.approx((10.0,) * 3)
    assert pondering.best(results(), ["repeat-3", "repeat-2"]) == "repeat-3"
    assert pondering.worse_than_act(results()).missing == 3


def test_difficulties_are_told_from_the_training_distribution() -> None:
    one = run("lstm", 0, 0.0, test=0.05)
    one.measures["inner_steps"] = {"1": 1.0, "1-10": 1.5}
    assert pondering.everywhere(one) == 5
    assert pondering.solved(one)
    assert list(pondering.by_difficulty(one["wrong_sequences"]).items()) == [("1", 0.0), ("2", 0.1), ("10", 0.3)]
    shown = pondering.exhibits(results(one), "gates")
    assert list(shown) == ["errors", "steps", "compute", "learning"]
    assert shown["compute"].found == {"no inner steps": [(1.5, 0.05)], "ACT": [], "fixed steps": []}  # type: ignore[attr-defined]
    assert shown["errors"].found["lstm"] == [{"1": 0.0, "2": 0.1, "10": 0.3}]  # type: ignore[attr-defined]
