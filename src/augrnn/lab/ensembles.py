"""An ensemble: the models of all seeds of a variant, put together as one that is measured as they are."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from augrnn.errors import UserError
from augrnn.lab.plan import Run
from augrnn.lab.work import ended

if TYPE_CHECKING:
    from augrnn.training.command import Trained


def assembled(run: Run, runs: Path) -> "Trained":
    """The models of an ensemble's members as one.

    Raises:
      FloatingPointError: the training of a member diverged.
      UserError: a member has not ended, or its checkpoint is gone; or such models cannot be put together, or measured.
    """
    from augrnn.inference.load import load
    from augrnn.measures.measure import measure_of
    from augrnn.systems.encoder_decoder import EncoderDecoder
    from augrnn.systems.ensemble import EncoderDecoderEnsemble
    from augrnn.training.command import Trained

    if not run.ready(runs):
        raise UserError(f"{run} needs {told(run.members)}, which have not all ended")
    if diverged := [member for member in run.members if ended(member.folder(runs)) == "failed"]:
        raise FloatingPointError(f"{diverged[0]} diverged")
    models = [load(member.folder(runs)) for member in run.members]
    systems = [model.system for model in models if isinstance(model.system, EncoderDecoder)]
    task = models[0].task
    if len(systems) < len(models) or not measure_of(type(task)).ensembles:
        raise UserError(f"{run}: no ensemble of models of {type(task).__name__} can be measured")
    return Trained(EncoderDecoderEnsemble(systems), task)


def told(members: Sequence[Run]) -> str:
    """The members in words: "en-fr seeds 0 to 2"."""
    return f"{members[0].variant} seeds {members[0].seed} to {members[-1].seed}"
