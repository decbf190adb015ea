"""Neural Programmers that choose together, against the mean of what each would choose."""

from typing import Any

import pytest
import torch

from augrnn.cells.unroll import unroll
from augrnn.programs.choices import choosing
from augrnn.programs.ensemble import ProgrammerEnsemble
from tests.programs.tables import one, together

QUESTIONS = together(one(3, 4, 5, 0), one(1, 1, 1, 1, numbers=0), one(2, 6, 3, 2, numbers=1), one(4, 2, 4, 3))


def ensemble(members: int, backwards: int = 0) -> ProgrammerEnsemble:
    torch.manual_seed(0)
    made = ProgrammerEnsemble(12, 6, 0.0, 0.0, members, backwards)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.mul_(8.0)
    return made.eval()


@pytest.mark.parametrize("hard", [True, False])
@pytest.mark.parametrize("backwards", [0, 1])
def test_one_member_is_that_member(hard: bool, backwards: int) -> None:
    made = ensemble(1, backwards)
    with choosing(made, hard):
        found = unroll(made, 4, made.begin(QUESTIONS), keep=True)
        (member,) = made.programmers()
        alone = unroll(member, 4, member.begin(QUESTIONS), keep=True)
    assert member.backwards == bool(backwards)
    torch.testing.assert_close(found.y_TBO, alone.y_TBO)
    torch.testing.assert_close(found.trace, alone.trace)


def test_each_choice_is_by_the_mean_of_all_members() -> None:
    made = ensemble(3, 1)
    found = unroll(made, 4, made.begin(QUESTIONS), keep=True).trace
    members = made.programmers()
    states = list(made.begin(QUESTIONS).members)
    disagreed = False
    for t in range(4):
        choices = [member.choose(state) for member, state in zip(members, states, strict=True) if state]
        operations_KBO = torch.stack([choice.log_operations_BO.exp() for choice in choices])
        columns_KBC = torch.stack([choice.log_columns_BC.exp() for choice in choices])
        torch.testing.assert_close(found.operations_BO[t], operations_KBO.mean(0))
        torch.testing.assert_close(found.columns_BC[t], columns_KBC.mean(0))
        disagreed = disagreed or len(operations_KBO.argmax(-1).unique(dim=0)) > 1
        means = operations_KBO.mean(0).log(), columns_KBC.mean(0).log()
        states = [
            member.take(state, choice._replace(log_operations_BO=means[0], log_columns_BC=means[1]))
            for member, state, choice in zip(members, states, choices, strict=True)
            if state
        ]
        for state in states:
            assert state is not None
            torch.testing.assert_close(state.record.selected_BR, found.selected_BR[t])
    assert disagreed


def test_a_training_batch_teaches_one_member() -> None:
    made, taught = ensemble(3).train(), set()
    for _ in range(30):
        made.zero_grad(set_to_none=True)
        unroll(made, 4, made.begin(QUESTIONS)).y_TBO[-1, :, 0].sum().backward()
        learning = [n for n, each in enumerate(made.programmers()) if each.words.weight.grad is not None]
        assert len(learning) == 1
        taught.update(learning)
    assert taught == {0, 1, 2}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"members": 0}, "members of at least 1, not 0"),
        ({"members": 2, "backwards": 3}, "of 2 Neural Programmers 3 cannot read backwards"),
        ({"backwards": 1.5}, r"1\.5 cannot read backwards"),
        ({"dropout": 1.0}, "a Neural Programmer needs dropout"),
    ],
)
def test_bad_numbers_are_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        ProgrammerEnsemble(**{"vocabulary_size": 9, "size": 4, **options})
