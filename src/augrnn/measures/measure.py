"""What a measure offers: numbers and exhibits of a trained model, and a preview while it trains."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from augrnn.dotted import named, path_of
from augrnn.errors import UserError
from augrnn.exhibits.exhibit import Exhibit

if TYPE_CHECKING:
    from lightning import LightningDataModule
    from torch import nn


class Measured(NamedTuple):
    """What is found out about a trained model.

    Attributes:
      numbers: numbers, or lists and dicts of them, which JSON can hold. Claims are about these.
      exhibits: what there is to see, by name.
    """

    numbers: dict[str, Any]
    exhibits: Mapping[str, Exhibit]


class Measure:
    """What is measured on the models of a task, which names a subclass as its `measure`. This one measures nothing.

    The methods are called with the system in evaluation mode, without gradients: see `measured` and `previewed`.

    Attributes:
      ensembles: whether the system may be an EncoderDecoderEnsemble too.
    """

    ensembles = False

    def measure(self, system: Any, task: Any) -> Measured:
        """Measure a trained system. Test data are read here and nowhere before."""
        return Measured({}, {})

    def preview(self, system: Any, task: Any) -> Mapping[str, Exhibit]:
        """What there is to see of a system in training, on fixed examples of the validation data."""
        return {}

    def previews(self, model: Mapping[str, Any]) -> dict[str, type[Exhibit]]:
        """The names and kinds of what `preview` gives for the model that a config's `model` describes."""
        return {}


def measure_of(task: type) -> Measure:
    """The measure that a class of tasks names.

    Raises:
      UserError: there is none of that name, or the class is no Task.
    """
    from augrnn.tasks.task import Task

    if not issubclass(task, Task):
        raise UserError(f"{path_of(task)} is no {path_of(Task)}: it does not say what is measured")
    measure: Measure = named(task.measure, Measure, "measure")()
    return measure


def measured(system: "nn.Module", task: "LightningDataModule") -> Measured:
    """Measure a trained system as its task says."""
    with _looked_at(system):
        return measure_of(type(task)).measure(system, task)


def previewed(system: "nn.Module", task: "LightningDataModule") -> Mapping[str, Exhibit]:
    """What there is to see of a system in training, by its task's measure."""
    with _looked_at(system):
        return measure_of(type(task)).preview(system, task)


@contextmanager
def _looked_at(system: "nn.Module") -> Iterator[None]:
    import torch

    training = system.training
    system.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        system.train(training)
