"""The commands `predict`, `translate`, `caption` and `ask`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from augrnn.counts import MOST_HYPOTHESES, count
from augrnn.errors import UserError
from augrnn.text.corpus_files import utf8
from augrnn.threads import choose, largest_product

ROWS = 512
"""About how many lines or hypotheses are computed at once."""


def add_parsers(commands: Any) -> None:
    """Add the commands; each sets `run`, a function of the parsed options that gives the exit status."""
    about = "write what a trained model gives for each line of a text"
    parser = commands.add_parser("predict", help=about, description=about)
    parser.add_argument("origin", type=Path, metavar="RUN", help="a run's folder, or a checkpoint")
    parser.add_argument("file", nargs="?", default="-", metavar="FILE", help="a text (default: the standard input)")
    parser.set_defaults(run=predict)
    about = "translate a text with one or more trained models"
    parser = commands.add_parser("translate", help=about, description=about)
    add = parser.add_argument
    add("file", nargs="?", default="-", metavar="FILE", help="one sentence a line (default: the standard input)")
    folder = "a run's folder or a checkpoint; several together are an ensemble"
    add("--run", dest="runs", type=Path, action="append", required=True, metavar="RUN", help=folder)
    weights = "take this checkpoint in place of the run's own; the mean of the parameters where there are several"
    add("--checkpoint", dest="checkpoints", type=Path, action="append", default=[], metavar="PATH", help=weights)
    n_best = "translations of each line; with more than one, lines of `number of the line ||| text ||| score`"
    add("--best", type=count("--best", MOST_HYPOTHESES), default=1, metavar="N", help=f"{n_best} (default: 1)")
    kept = "hypotheses that the search keeps (default: the run's beam_size)"
    add("--beam", type=count("--beam", MOST_HYPOTHESES), metavar="K", help=kept)
    add("--length-penalty", type=float, metavar="A", help="alpha of the length penalty (default: the run's)")
    room = "gigabytes that a search may take, by estimate: where lines are long, fewer are searched at once"
    add("--memory", type=float, default=2.0, metavar="GB", help=f"{room} (default: 2)")
    add("--alignments", type=Path, metavar="FILE", help="write where each target word looked, as JSON")
    add("--pictures", type=Path, metavar="DIR", help="draw the alignment of each line's best translation")
    unknown = "put the source word that an <unk> looked at in its place"
    add("--replace-unknown", action="store_true", help=unknown)
    parser.set_defaults(run=translate)
    about = "say what is in images with one or more trained models, and show where they looked"
    parser = commands.add_parser("caption", help=about, description=about)
    add = parser.add_argument
    add("images", nargs="+", type=Path, metavar="IMAGE", help="an image file, of any kind and size")
    add("--run", dest="runs", type=Path, action="append", required=True, metavar="RUN", help=folder)
    add("--checkpoint", dest="checkpoints", type=Path, action="append", default=[], metavar="PATH", help=weights)
    n_best = "captions of each image; with more than one, lines of `image ||| text ||| score`"
    add("--best", type=count("--best", MOST_HYPOTHESES), default=1, metavar="N", help=f"{n_best} (default: 1)")
    add("--beam", type=count("--beam", MOST_HYPOTHESES), metavar="K", help=kept)
    add("--length-penalty", type=float, metavar="A", help="alpha of the length penalty (default: the run's)")
    shown = "write captions.html, a page with all overlays, and those of each image's best caption as PNG"
    add("--out", type=Path, metavar="DIR", help=shown)
    parser.set_defaults(run=caption)
    about = "answer a question about a table with a trained programmer, and show its program"
    parser = commands.add_parser("ask", help=about, description=about)
    add = parser.add_argument
    add("table", type=Path, metavar="TABLE", help="a table: .csv in any usual dialect, .tsv, .json or .jsonl")
    add("question", metavar="QUESTION", help="the question, in quotes")
    add("--run", dest="origin", type=Path, required=True, metavar="RUN", help="a run's folder, or a checkpoint")
    add("--page", type=Path, metavar="FILE", help="write an HTML page with the program and the cells that it printed")
    parser.set_defaults(run=ask)


def read_lines(file: str) -> list[str]:
    """The lines of a UTF-8 text; "-" reads the standard input.

    Raises:
      UserError: it cannot be read, or is not UTF-8.
    """
    name = "the standard input" if file == "-" else file
    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).expanduser().read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {name}: {error.strerror}") from None
    text = utf8(raw, name)
    return text.removesuffix("\n").split("\n") if text else []


def predict(options: argparse.Namespace) -> int:
    """Print what a model gives for each line."""
    lines = read_lines(options.file)
    from augrnn.inference.load import load
    from augrnn.text.codec import PairCodec

    model = load(options.origin)
    choose(largest_product(model.system, ROWS))
    if isinstance(model.codec, PairCodec):
        _note_tokens(lines)
    _print(model.predict(lines))
    return 0


def translate(options: argparse.Namespace) -> int:
    """Print the translations of a text, and write what else is asked for."""
    _require_one_run(options)
    lines = read_lines(options.file)
    from augrnn.inference.load import load
    from augrnn.inference.translate import Translator, draw, lines_of, write_alignments

    _note_tokens(lines)
    models = [load(run, options.checkpoints) for run in options.runs]
    choose(max(largest_product(model.system, ROWS) for model in models))
    translator = Translator(models)
    search = options.best, options.beam, options.length_penalty, options.replace_unknown, options.memory
    found = translator.translate(lines, *search)
    looked = all(each.weights_ML.any() for translations in found for each in translations if each.target)
    if not looked and (options.alignments or options.pictures):
        raise UserError("without attention there are no alignments to write or to draw")
    _print(list(lines_of(found, options.best)))
    if options.alignments:
        write_alignments(found, options.alignments)
    if options.pictures:
        draw(found, options.pictures)
    return 0


def caption(options: argparse.Namespace) -> int:
    """Print the captions of images, and write what else is asked for; 2 where an image could not be read."""
    _require_one_run(options)
    from augrnn.inference.caption import Captioner, draw, lines_of, readable
    from augrnn.inference.load import load

    if options.out and options.out.exists() and not options.out.is_dir():
        raise UserError(f"{options.out} is a file: --out needs a folder")
    images, refused = readable(options.images)
    for reason in refused:
        print(f"augrnn: error: {reason}", file=sys.stderr)
    if images:
        models = [load(run, options.checkpoints) for run in options.runs]
        choose(max(largest_product(model.system, ROWS) for model in models))
        captioner = Captioner(models)
        found = captioner.caption(images, options.best, options.beam, options.length_penalty)
        if options.out and any(each.words and not each.looked for captions in found for each in captions):
            raise UserError("without attention there are no maps to draw")
        _print(list(lines_of(found, options.best)))
        if options.out:
            draw(found, options.out)
    return 2 if refused else 0


def ask(options: argparse.Namespace) -> int:
    """Print the answer to a question about a table, and the program."""
    from augrnn.tables.reading import read_table

    table = read_table(options.table.expanduser())
    from augrnn.inference.ask import Asker, write_page
    from augrnn.inference.load import load

    found = Asker(load(options.origin)).ask(table, options.question)
    _print(str(found).split("\n"))
    if options.page:
        write_page(found, options.page.expanduser())
    return 0


def _require_one_run(options: argparse.Namespace) -> None:
    if options.checkpoints and len(options.runs) > 1:
        raise UserError("checkpoints are averaged for one run: give one --run with --checkpoint")


def _note_tokens(lines: Sequence[str]) -> None:
    from augrnn.text.moses import tokenised

    if tokenised(lines):
        print("augrnn: the text seems to be in tokens already, and is cut again: give raw text", file=sys.stderr)


def _print(lines: Sequence[str]) -> None:
    for line in lines:
        print(line)
