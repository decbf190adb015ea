"""What the corpus of a config is like, before anything is trained on it: the command `data`."""

from collections.abc import Iterator
from pathlib import Path

import lightning as L
from jsonargparse import ArgumentError
from lightning.pytorch.cli import LightningArgumentParser

from augrnn.errors import UserError
from augrnn.metrics.bleu import bleu_signature
from augrnn.tasks.translation import Translation
from augrnn.text.parallel_corpus import TRAIN
from augrnn.text.token_batches import UNK
from augrnn.yaml_files import read_config


def task_of(path: Path) -> Translation:
    """The translation task that a config describes.

    Raises:
      UserError: the file cannot be read, or describes none.
    """
    config = read_config(path)
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


def report(task: Translation) -> Iterator[str]:
    """Lines on the training and validation splits; test splits are not read."""
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
    share = "one for both languages" if task.joint else "one for each language"
    yield f"vocabulary: {task.vocabulary:,} {task.units}, {share}; the model's must be as large"
    case = "lower case" if task.lowercase else "case as it is"
    references = splits[task.validation_split].target_words
    yield f"text: {case}; BLEU {bleu_signature(references, task.bleu_tokenizer)}"
    source, target = task.source_subwords, task.target_subwords
    yield f"example, {task.languages[0]}: {' '.join(source.pieces(splits[TRAIN].source_ids[0]))}"
    yield f"example, {task.languages[1]}: {' '.join(target.pieces(splits[TRAIN].target_ids[0]))}"
