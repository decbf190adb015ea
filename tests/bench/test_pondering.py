import pytest
import torch

from augrnn.bench import pondering
from augrnn.cells import ACT, LSTM, compilation, inner_steps
from augrnn.cells.unroll import unroll


def test_the_steps_that_rows_name_are_taken() -> None:
    act = ACT(LSTM(4, 5))
    pondering._even(act.halting_unit)
    trace = unroll(act, torch.randn(2, 20, 3), keep=True).trace
    assert (trace.steps_B == pondering.STEPS).all()
    marked = ACT(pondering.Marked(LSTM(4, 5)))
    pondering._as_marked(marked.halting_unit)
    steps_TB = unroll(marked, torch.randn(2, 20, 3), keep=True).trace.steps_B
    assert steps_TB.tolist() == [[20.0] + [2.0] * 9 + [20.0] + [2.0] * 9] * 2


def test_halted_samples_leave_in_one_of_two_rows_with_a_compiler_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilation, "available", lambda: True)
    monkeypatch.setattr(inner_steps, "COMPACTION", 1)
    leaving, staying = (wrapper(pondering.Marked(LSTM(4, 5))) for wrapper in (ACT, pondering.Staying))
    assert leaving.compacts(left=2, rows=20, idle=18)
    assert not staying.compacts(left=2, rows=20, idle=18)


def test_rows_have_something_beside_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pondering, "SIZES", ((8, 4, 2, 3),))
    rows = list(pondering.speeds(0.01))
    assert [row.name.split(", ")[1] for row in rows] == ["Repeat", "ACT", "PonderNet", "ACT"]
    assert all(row.value > 0 and row.reference for row in rows)
