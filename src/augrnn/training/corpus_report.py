"""What the corpus of a config is like, before anything is trained on it: the command `data`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import lightning as L
from jsonargparse import ArgumentError
from lightning.pytorch.cli import LightningArgumentParser

from augrnn.errors import UserError
from augrnn.metrics.bleu import bleu_signature
from augrnn.tasks.translation import Translation
from augrnn.text.parallel_corpus import TRAIN
from augrnn.text.token_batches import UNK


def task_of(config: Mapping[str, Any], path: Path) -> Translation:
    """The translation task that a config describes.

    Args:
      config: its content.
      path: where it is, for messages.

    Raises:
      UserError: it describes none.
    """
    if "data" not in config:
        raise UserError(f"{path} has no part `data`")
    parser = LightningArgumentParser(exit_on_error=False)
    parser.add_lightning_class_args(L.LightningDataModule, "data", subclass_mode=True)
    try:
        task = parser.instantiate_classes(parser.parse_object({"data": config["data"]})).data
    except (ArgumentError, ValueError) as error:
        raise UserError(f"{path}: {' '.join(str(error).split())[:300]}") from error
    if not isinstance(task, Translation):
        raise UserError(f"{path} is of {type(task).__name__}, which reads no corpus: `data` shows those of Translation")
    return task


def made_for(config: Mapping[str, Any]) -> dict[str, int]:
    """The `vocabulary` of encoder and decoder in a config, where it says it."""
    arguments = _arguments(config.get("model"))
    sizes = {name: _arguments(arguments.get(name)).get("vocabulary") for name in ("encoder", "decoder")}
    return {name: size for name, size in sizes.items() if isinstance(size, int)}


def _arguments(part: Any) -> Mapping[str, Any]:
    """The arguments of a class in a config, which may stand beside its path; none where there is no class."""
    arguments = part.get("init_args", part) if isinstance(part, Mapping) else {}
    return arguments if isinstance(arguments, Mapping) else {}


def report(task: Translation, sizes: Mapping[str, int]) -> Iterator[str]:
    """Lines on the training and validation splits; test splits are named and not read.

    Args:
      task: the corpus.
      sizes: the vocabularies that the parts of its model are made for, by the parts' names.
    """
    splits = {split: task.parallel(split) for split in (TRAIN, task.validation_split)}
    for split, pairs in splits.items():
        yield f"{split}: {len(pairs.source_words):,} pairs"
        sides = (pairs.source_words, pairs.source_ids), (pairs.target_words, pairs.target_ids)
        for language, (words, ids) in zip(task.languages, sides, strict=True):
            units = sum(len(each) - 1 for each in ids)
            unknown = sum(each.count(UNK) for each in ids) / max(1, units)
            yield (
                f"  {language}: {sum(map(len, words)):,} words, {units:,} units, {unknown:.2%} of them unknown; "
                f"the longest sentence has {max(map(len, words))} words"
            )
    yield f"test splits, not read here: {', '.join(task.test_splits) or 'none'}"
    share = "one for both languages" if task.joint else "one for each language"
    yield f"vocabulary: {task.vocabulary:,} {task.units}, {share}; {_compared(sizes, task.vocabulary)}"
    case = "lower case" if task.lowercase else "case as it is"
    references = splits[task.validation_split].target_words
    yield f"text: {case}; BLEU {bleu_signature(references, task.bleu_tokenizer)}"
    source, target = task.source_subwords, task.target_subwords
    yield f"example, {task.languages[0]}: {' '.join(source.pieces(splits[TRAIN].source_ids[0]))}"
    yield f"example, {task.languages[1]}: {' '.join(target.pieces(splits[TRAIN].target_ids[0]))}"


def _compared(sizes: Mapping[str, int], needed: int) -> str:
    """How the vocabularies of a model's parts compare with the one that is needed."""
    if not sizes:
        return "the model's must be as large"
    wrong = [size for size in sizes.values() if size != needed]
    judged = "fits" if not wrong else "too small" if wrong[0] < needed else "too large"
    if len(set(sizes.values())) == 1:
        return f"the model of this config has {next(iter(sizes.values())):,}: {judged}"
    listed = " and ".join(f"{size:,} ({name})" for name, size in sizes.items())
    return f"the model of this config has {listed}: {judged}"
