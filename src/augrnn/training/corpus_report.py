"""What the corpus of a config is like, before anything is trained on it: the command `data`."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import lightning as L
from jsonargparse import ArgumentError
from lightning.pytorch.cli import LightningArgumentParser

from augrnn.errors import UserError
from augrnn.metrics.bleu import bleu_signature
from augrnn.metrics.captions import constant_caption, human_row
from augrnn.tables.preparing import KINDS
from augrnn.tasks.captioning import Captioning
from augrnn.tasks.translation import Translation
from augrnn.tasks.wiki_table_questions import WikiTableQuestions
from augrnn.text.parallel_corpus import TRAIN
from augrnn.text.token_batches import UNK
from augrnn.training.refusals import parsing, root_of

OFTEN = 5
"""How often a word must stand in training captions for a vocabulary that is usual."""


Corpus = Translation | Captioning | WikiTableQuestions
"""Tasks whose corpus can be shown."""


def task_of(config: Mapping[str, Any], path: Path) -> Corpus:
    """The task of translation, captioning or questions about tables that a config describes.

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
        root = root_of(error)
        raise UserError(f"{path}: {root if isinstance(root, UserError) else parsing(str(error))}") from error
    if not isinstance(task, Corpus):
        raise UserError(
            f"{path} is of {type(task).__name__}, which reads no corpus: `data` shows those of Translation, "
            "Captioning and WikiTableQuestions"
        )
    return task


def made_for(config: Mapping[str, Any]) -> dict[str, int]:
    """The vocabulary of encoder and decoder, or of the cell, in a config, where it says it."""
    arguments = _arguments(config.get("model"))
    sizes = {name: _arguments(arguments.get(name)).get("vocabulary") for name in ("encoder", "decoder")}
    sizes["cell"] = _arguments(arguments.get("cell")).get("vocabulary_size")
    return {name: size for name, size in sizes.items() if isinstance(size, int)}


def _arguments(part: Any) -> Mapping[str, Any]:
    """The arguments of a class in a config, which may stand beside its path; none where there is no class."""
    arguments = part.get("init_args", part) if isinstance(part, Mapping) else {}
    return arguments if isinstance(arguments, Mapping) else {}


def report(task: Corpus, sizes: Mapping[str, int]) -> Iterator[str]:
    """Lines on the training and validation splits; test splits are named and not read.

    Args:
      task: the corpus.
      sizes: the vocabularies that the parts of its model are made for, by the parts' names.
    """
    if isinstance(task, WikiTableQuestions):
        return _tables(task, sizes)
    return _captioning(task, sizes) if isinstance(task, Captioning) else _translation(task, sizes)


def _tables(task: WikiTableQuestions, sizes: Mapping[str, int]) -> Iterator[str]:
    for split in (task.train_split, task.validation_split):
        questions = task.questions(split)
        data, within = questions.data, [questions[number] for number in questions.fitting]
        words = [word for question in within for word in question.words if word is not None]
        unknown = sum(not task.words.knows(word) for word in words) / max(1, len(words))
        longest = max((len(question.words) for question in within), default=0)
        yield (
            f"{split}: {len(questions):,} questions on {len(data.tables):,} tables, {len(within):,} of them on tables "
            f"within the limits; {unknown:.2%} of words unknown; the longest question has {longest} words"
        )
        kinds = Counter(question.kind for question in within)
        shares = ", ".join(f"{kind} {kinds[kind] / max(1, len(within)):.1%}" for kind in KINDS)
        yield f"  answers: {shares}"
    others = [split for split in task.test_splits if split != task.validation_split]
    yield f"test splits, not read here: {', '.join(others) or 'none'}"
    known = f"the training split has {task.words.size:,} that are known, four of them special"
    yield f"vocabulary: at most {task.vocabulary:,}; {known}; {_compared(sizes, task.vocabulary)}"
    question = task.questions(task.train_split).data.questions[0]
    yield f"example: {question.text}"
    yield f"  of {question.table}: {', '.join(task.questions(task.train_split).data.tables[question.table].header)}"
    yield f"  answer: {', '.join(question.answer)}"


def _captioning(task: Captioning, sizes: Mapping[str, int]) -> Iterator[str]:
    counts: Counter[str] = Counter()
    for split in (TRAIN, task.validation_split):
        captions = [words for several in task.described(split).captions for words in several]
        if split == TRAIN:
            counts.update(word for words in captions for word in words)
        ids = task.codec.vocabulary.encode(captions)
        words = sum(map(len, captions))
        unknown = sum(each.count(UNK) for each in ids) / max(1, words)
        yield (
            f"{split}: {len(task.described(split).captions):,} images, {len(captions):,} captions, {words:,} words, "
            f"{unknown:.2%} of them unknown; the longest caption has {max(map(len, captions))} words"
        )
    yield f"test splits, not read here: {', '.join(task.test_splits) or 'none'}"
    often = sum(count >= OFTEN for count in counts.values())
    yield (
        f"vocabulary: {task.vocabulary:,}, four of them special; the training captions have {len(counts):,} words, "
        f"{often:,} of them at least {OFTEN} times; {_compared(sizes, task.vocabulary)}"
    )
    trained, references = (task.described(split).captions for split in (TRAIN, task.validation_split))
    constant = constant_caption([words for several in trained for words in several], trained)
    rows = {
        "people, each by the other captions": human_row(references, task.words.treatment),
        f"'{task.words.line(constant)}' for all": task.metrics("val").scores([constant] * len(references)).table(),
    }
    for name, row in rows.items():
        yield f"{task.validation_split}, {name}: BLEU-4 {row['bleu4']:.1f}, CIDEr-D {row['cider_d']:.3f}"
    yield f"text: {task.metrics('val').signatures()['cider_d']}"
    grid = " x ".join(map(str, task.backbone.grid_size))
    yield f"the encoder is given {grid} places of {task.backbone.channels} channels"
    yield f"example: {' '.join(task.codec.vocabulary.words(task.codec.vocabulary.encode([captions[0]])[0]))}"


def _translation(task: Translation, sizes: Mapping[str, int]) -> Iterator[str]:
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
