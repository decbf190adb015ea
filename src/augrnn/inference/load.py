"""A trained model from its run's folder or a checkpoint alone; the data that it was trained on is not needed."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

import lightning as L
import torch
import yaml
from jsonargparse import ArgumentError
from lightning.pytorch.cli import LightningArgumentParser

from augrnn.batches import moved
from augrnn.checkpoints import CONFIG_KEY, mean_weights, read_checkpoint
from augrnn.errors import UserError
from augrnn.files import read_json
from augrnn.run_folder import LAST, MODEL, SUMMARY
from augrnn.systems.encoder_decoder import EncoderDecoder
from augrnn.systems.system import System
from augrnn.tasks.task import Codec, Task
from augrnn.text.codec import PairCodec
from augrnn.training.refusals import root_of

if TYPE_CHECKING:
    from augrnn.exhibits.exhibit import Exhibit
    from augrnn.inference.caption import Captions
    from augrnn.inference.translate import Translations


@dataclass(frozen=True)
class Model:
    """A trained model, ready to use.

    Attributes:
      system: in evaluation mode, on the GPU where there is one.
      task: what it was trained on; it has read no data.
      origin: the folder or checkpoint that it is from.
    """

    system: System
    task: Task
    origin: Path

    @property
    def codec(self) -> Codec:
        """From lines to batches and back: text, bits as JSON, or paths of images.

        Raises:
          UserError: the task has none.
        """
        return self.task.codec

    @overload
    def predict(self, lines: str) -> str: ...  # type: ignore[overload-overlap]

    @overload
    def predict(self, lines: Iterable[str]) -> list[str]: ...

    def predict(self, lines: str | Iterable[str]) -> str | list[str]:
        """What the model gives for a line, or for each of several; an empty line for a blank one.

        Raises:
          UserError: a line cannot be read; names it.
        """
        return self._predicted([lines])[0] if isinstance(lines, str) else self._predicted(list(lines))

    @torch.inference_mode()
    def _predicted(self, lines: Sequence[str]) -> list[str]:
        if isinstance(self.codec, PairCodec) and lines:
            return [translations.text for translations in self.translate(lines)]
        found = [""] * len(lines)
        for numbers, batch in self.codec.batches(lines):
            texts = self.codec.texts(self.system.predict_step(moved(batch, self.system.device), 0))
            for number, text in zip(numbers, texts, strict=True):
                found[number] = text
        return found

    def exhibits(self) -> "Mapping[str, Exhibit]":
        """What there is to see of the model on fixed validation examples of its task, by name; each draws itself.

        Raises:
          UserError: the task reads its validation data from a corpus, and that is not there.
        """
        from augrnn.measures.measure import previewed

        return previewed(self.system, self.task)

    @overload
    def translate(self, lines: str, best: int = 1, **search: Any) -> "Translations": ...

    @overload
    def translate(self, lines: Iterable[str], best: int = 1, **search: Any) -> "list[Translations]": ...

    def translate(
        self, lines: str | Iterable[str], best: int = 1, **search: Any
    ) -> "Translations | list[Translations]":
        """The best translations of a sentence, or of each of several, with their alignments.

        Args:
          lines: a raw sentence, or several.
          best: translations a line.
          search: `beam`, `length_penalty`, `replace_unknown`, `memory`; see `Translator.translate`.
        """
        from augrnn.inference.translate import Translator

        return Translator([self]).translate(lines, best, **search)

    @overload
    def caption(self, images: str | Path, best: int = 1, **search: Any) -> "Captions": ...

    @overload
    def caption(self, images: Iterable[str | Path], best: int = 1, **search: Any) -> "list[Captions]": ...

    def caption(
        self, images: str | Path | Iterable[str | Path], best: int = 1, **search: Any
    ) -> "Captions | list[Captions]":
        """The best captions of an image, or of each of several, with the maps of where the model looked.

        Args:
          images: the path of an image file, or several.
          best: captions an image.
          search: `beam`, `length_penalty`; see `Captioner.caption`.
        """
        from augrnn.inference.caption import Captioner

        return Captioner([self]).caption(images, best, **search)


def load(
    origin: str | Path,
    checkpoints: str | Path | Sequence[str | Path] = (),
    system: System | None = None,
    task: Task | None = None,
) -> Model:
    """Load a trained model.

    Args:
      origin: a run's folder, with checkpoints/model.ckpt or else checkpoints/last.ckpt; or a checkpoint.
      checkpoints: one or more of the same training; their mean is taken in place of that one.
      system: the model as it was built, for a checkpoint that a plain L.Trainer wrote: it holds no config.
      task: what that was trained on.

    Raises:
      UserError: something is missing or damaged, is older than this, or does not fit together.
    """
    several = [checkpoints] if isinstance(checkpoints, str | Path) else checkpoints
    paths = [Path(path).expanduser() for path in several] or [_checkpoint(Path(origin).expanduser())]
    contents = [read_checkpoint(path) for path in paths]
    if (system is None) != (task is None):
        raise UserError("a checkpoint of a plain L.Trainer needs both the system and the task, not one of them")
    if system is None or task is None:
        system, task = _built(_config(contents[0], paths[0]), paths[0])
    for path, content in zip(paths, contents, strict=True):
        state = content.get(type(task).__qualname__)
        if task.learned and state is None:
            raise UserError(f"{path} holds no vocabulary of {type(task).__name__}: it is not a checkpoint of one")
        if state is not None:
            task.load_state_dict(state)
        if not all(tensor.isfinite().all() for tensor in content["state_dict"].values()):
            raise UserError(f"the weights of {path} are not finite: its training diverged")
    try:
        system.load_state_dict(mean_weights(paths))
    except RuntimeError as error:
        raise UserError(f"{paths[0]} is of another model than its config: its parameters differ") from error
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return Model(system.eval().to(device), task, Path(origin))


def _checkpoint(origin: Path) -> Path:
    if origin.is_file():
        return origin
    if not origin.is_dir():
        raise UserError(f"{origin} is neither a run's folder nor a checkpoint: there is no such file")
    for path in (origin / MODEL, origin / LAST):
        if path.is_file():
            return path
    if (origin / SUMMARY).is_file() and (members := read_json(origin / SUMMARY, "status").get("members")):
        named = ", ".join(str(origin.resolve().parents[1] / member) for member in members)
        raise UserError(f"{origin} is an ensemble, which has no weights of its own: give its models ({named})")
    raise UserError(f"{origin} has no {MODEL} or {LAST}: it is not the folder of a run, or not of a trained one")


def _config(content: Mapping[str, Any], path: Path) -> Any:
    if CONFIG_KEY not in content:
        raise UserError(
            f"{path} holds no config, because a plain L.Trainer or an older augrnn wrote it: from Python, give "
            "augrnn.load the system and the task; else train the run again, or use the commit that its "
            "provenance.json names"
        )
    return content[CONFIG_KEY]


def _built(text: Any, path: Path) -> tuple[System, Task]:
    """The model and the task that a config, as YAML, describes."""
    try:
        config = yaml.safe_load(str(text))
    except yaml.YAMLError:
        config = None
    if not isinstance(config, Mapping):
        raise UserError(f"the config in {path} is damaged")
    parser = LightningArgumentParser(exit_on_error=False)
    parser.add_lightning_class_args(L.LightningModule, "model", subclass_mode=True)
    parser.add_lightning_class_args(L.LightningDataModule, "data", subclass_mode=True)
    try:
        parts = parser.instantiate_classes(parser.parse_object({name: config[name] for name in ("model", "data")}))
    except (ArgumentError, KeyError, ValueError) as error:
        if isinstance(root := root_of(error), UserError):
            raise UserError(f"the config in {path} cannot be followed here: {root}") from error
        told = " ".join(str(error).split())
        missing = re.search(r"No module named '((?!augrnn\.)[\w.]+)'", told)
        if missing:
            raise UserError(
                f"the config in {path} needs the module {missing[1]}, which cannot be imported: run this in the "
                "directory that has it, or install it"
            ) from error
        raise UserError(
            f"the config in {path} fits another version of augrnn, or other packages: {told[:300]}"
        ) from error
    if not isinstance(parts.model, System) or not isinstance(parts.data, Task):
        raise UserError(f"{path} is of a {type(parts.model).__name__}, which is no System of augrnn")
    return parts.model, parts.data


C = TypeVar("C", bound=Codec)


def together(models: Sequence[Model], codec: type[C], needed: str, shared: str) -> tuple[list[EncoderDecoder], C]:
    """The systems of models that search together, and the codec that they have in common.

    Args:
      models: at least one.
      codec: what theirs must be.
      needed: what is then wrong with a model: "translate needs one of Translation".
      shared: what an ensemble has in common: "languages or vocabularies".

    Raises:
      UserError: a model is of another kind, or they do not fit together.
    """
    for model in models:
        if not isinstance(model.system, EncoderDecoder) or not isinstance(model.codec, codec):
            raise UserError(f"{model.origin} is a run of {type(model.task).__name__}: {needed}")
    require_alike(models, shared)
    return [cast(EncoderDecoder, model.system) for model in models], cast(C, models[0].codec)


def require_alike(models: Sequence[Model], shared: str) -> None:
    """Refuse an ensemble of models that learned other things of their data.

    Args:
      models: at least one.
      shared: what an ensemble has in common: "languages or vocabularies".

    Raises:
      UserError: names two that differ.
    """
    first, *others = models
    for other in others:
        if other.task.state_dict() != first.task.state_dict():
            raise UserError(f"{first.origin} and {other.origin} have other {shared}: they cannot be an ensemble")
