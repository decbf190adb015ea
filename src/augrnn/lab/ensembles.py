"""An ensemble: the models of all seeds of a variant, put together as one that is measured as they are."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from augrnn.errors import UserError
from augrnn.lab.plan import Run
from augrnn.lab.work import ENDED, ended
from augrnn.run_folder import LAST, MODEL

if TYPE_CHECKING:
    from augrnn.training.command import Trained


def assembled(run: Run, runs: Path) -> "Trained":
    """The models of an ensemble's members as one.

    Raises:
      FloatingPointError: the training of a member diverged.
      UserError: a member has not ended, its model is gone, or it has another vocabulary.
    """
    from augrnn.inference.load import load, require_alike
    from augrnn.systems.encoder_decoder import EncoderDecoder
    from augrnn.systems.ensemble import EncoderDecoderEnsemble
    from augrnn.training.command import Trained

    require_members([run], runs)
    if diverged := [member for member in run.members if ended(member.folder(runs)) == "failed"]:
        raise FloatingPointError(f"{diverged[0]} diverged")
    models = [load(member.folder(runs)) for member in run.members]
    require_alike(models, "vocabularies")
    return Trained(EncoderDecoderEnsemble([cast(EncoderDecoder, model.system) for model in models]), models[0].task)


def require_members(todo: Sequence[Run], runs: Path) -> None:
    """Refuse ensembles of models that are neither there nor among what is to be done.

    Raises:
      UserError: names the first.
    """
    for run in todo:
        for member in run.members:
            if member not in todo and not has_model(member, runs):
                raise UserError(
                    f"{run} needs the model of {member}, which is not in {member.folder(runs)}: train it (without "
                    f"--extend), or leave out {run.variant}"
                )


def has_model(run: Run, runs: Path) -> bool:
    """Whether a run has ended and its model is there, if it did not diverge."""
    state, folder = run.state(runs), run.folder(runs)
    return state == "failed" or (state == "finished" and any((folder / name).exists() for name in (MODEL, LAST)))


def ended_all(members: Sequence[Run], runs: Path) -> bool:
    """Whether all of some runs have ended."""
    return all(member.state(runs) in ENDED for member in members)


def startable(todo: Sequence[Run]) -> list[Run]:
    """The runs that can start now: ensembles have to wait for members that are to be done themselves."""
    return [run for run in todo if not any(member in todo for member in run.members)]


def require_measurable(run: Run, by_its_task: bool) -> None:
    """Refuse an ensemble that cannot be put together or measured, before hours of training.

    Args:
      run: any run.
      by_its_task: whether what is measured is what its task names.

    Raises:
      UserError: its models are no EncoderDecoders, or the measure of its task is for single models alone.
    """
    if not run.members:
        return
    from augrnn.dotted import named
    from augrnn.measures.measure import measure_of
    from augrnn.systems.encoder_decoder import EncoderDecoder

    model, task = (named(run.settings[part]["class_path"], object, part) for part in ("model", "data"))
    if not issubclass(model, EncoderDecoder) or (by_its_task and not measure_of(task).ensembles):
        raise UserError(f"{run}: no ensemble of models of {task.__name__} can be measured")
