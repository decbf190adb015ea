"""The command `augrnn`."""

import argparse
import io
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from augrnn import __version__
from augrnn.errors import UserError
from augrnn.files import explained
from augrnn.threads import let_idle_threads_sleep

LIGHTNING = {
    "fit": "train a model: LightningCLI's fit",
    "validate": "evaluate a checkpoint on validation data",
    "test": "evaluate a checkpoint on the test sets",
}


def data(options: argparse.Namespace) -> int:
    """Print what the corpus of a config is like."""
    from augrnn.lab.places import config_path
    from augrnn.training.corpus_report import made_for, report, task_of
    from augrnn.yaml_files import read_config

    path = config_path(Path(), options.config)
    config = read_config(path)
    for line in report(task_of(config, path), made_for(config)):
        print(line)
    return 0


class Parser(argparse.ArgumentParser):
    """A parser whose refusals are one line, as all others are; those of its commands are of this class too."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message} (`{self.prog} --help` shows what there is)")


def build_parser() -> Parser:
    """The parser of every command; those of Lightning are only named in it, because importing Lightning is slow."""
    from augrnn.bench import commands as bench
    from augrnn.cluster.commands import add_launcher
    from augrnn.dashboard.commands import add_parser
    from augrnn.inference import commands as inference
    from augrnn.lab import commands as lab
    from augrnn.report import commands as report
    from augrnn.sweeps import commands as sweeps
    from augrnn.tracking import sync

    parser = Parser(
        prog="augrnn", description="Check the findings behind 'Attention and Augmented Recurrent Neural Networks'."
    )
    parser.add_argument("--version", action="version", version=f"augrnn {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    add_launcher(lab.add_parsers(commands, sweeps.draw_committed))
    sweeps.add_parsers(commands)
    add_parser(commands, sweeps=sweeps.panels)
    report.add_parser(commands)
    sync.add_parser(commands)
    bench.add_parser(commands)
    about = "show what the corpus of a config is like: words or questions, vocabulary, an example"
    corpus = commands.add_parser("data", help=about, description=about)
    corpus.add_argument("config", type=Path, metavar="CONFIG", help="a LightningCLI file")
    corpus.set_defaults(run=data)
    inference.add_parsers(commands)
    for name, words in LIGHTNING.items():
        commands.add_parser(name, help=words, add_help=False)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; a user's mistake is one line on standard error and exit status 2.

    Whatever the locale, the standard output is UTF-8, as all texts that are read. A config can name modules of the
    working directory; an installed one of the same name goes before.
    """
    let_idle_threads_sleep(os.environ)
    if (here := os.getcwd()) not in sys.path:
        sys.path.append(here)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")
    try:
        try:
            return _run(list(sys.argv[1:] if argv is None else argv))
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except UserError as error:
        print(f"augrnn: error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # whoever read our output has seen enough
        _drop_output()
        return 128 + signal.SIGPIPE
    except OSError as error:
        if not _output_fails():
            raise
        _drop_output()
        print(f"augrnn: error: cannot write the standard output: {explained(error)}", file=sys.stderr)
        return 2


def _run(words: list[str]) -> int:
    if words[:1] == ["fit"] and "WANDB_SWEEP_PARAM_PATH" in os.environ:  # W&B's agent has started us
        from augrnn.sweeps import wandb_agents

        return wandb_agents.fit(words)
    if words and words[0] in LIGHTNING:
        from augrnn.training import short_help

        if (text := short_help.asked(words)) is not None:
            print(text)
            return 0
        from augrnn.training import command

        return command.command_line(_with_configs(short_help.lightnings(words)))
    options = build_parser().parse_args(words)
    status: int = options.run(options)
    return status


def _with_configs(words: Sequence[str]) -> list[str]:
    """Words with the package's configs in place of those that the working directory does not have."""
    from augrnn.lab.places import config_path

    before = ["", *words[:-1]]
    heads = ["--config=" if word.startswith("--config=") else "" for word in words]
    return [
        head + str(config_path(Path(), word.removeprefix(head))) if head or last == "--config" else word
        for last, word, head in zip(before, words, heads, strict=True)
    ]


def _output_fails() -> bool:
    try:
        print(flush=True)  # what failed may not be in the buffer any more
    except OSError:
        return True
    return False


def _drop_output() -> None:
    """Send what is still to be written nowhere, so that nothing is left to flush at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
