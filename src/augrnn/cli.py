"""The command `augrnn`."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from augrnn.errors import UserError

LIGHTNING = {
    "fit": "train a model: LightningCLI's fit",
    "validate": "evaluate a checkpoint on validation data",
    "test": "evaluate a checkpoint on the test sets",
    "predict": "write what a checkpoint gives for a file or standard input",
}


def bench(options: argparse.Namespace) -> int:
    """Measure throughput, and print a table or JSON."""
    import json

    from augrnn.bench import speeds

    rows = []
    for speed in speeds(options.seconds):
        rows.append(speed._asdict())
        if not options.json:
            ours = f"{speed.per_second:9,.0f} {speed.unit} a second"
            theirs = speed.reference_per_second
            torchs = "" if theirs is None else f"(torch's layers: {theirs:9,.0f})"
            print(f"{speed.name:52} {speed.device:20} batch {speed.batch:3}: {ours} {torchs}".rstrip(), flush=True)
    if options.json:
        print(json.dumps(rows, indent=1))
    return 0


def translate(options: argparse.Namespace) -> int:
    """Print the translations of a text, and write what else is asked for."""
    from augrnn.inference.translate import command

    return command(options)


def add_translate(commands: Any) -> None:
    """Add the command `translate`."""
    about = "translate a text with one or more trained models"
    parser = commands.add_parser("translate", help=about, description=about)
    add = parser.add_argument
    add("file", nargs="?", default="-", metavar="FILE", help="one sentence a line (default: the standard input)")
    folder = "a run's folder, with config.yaml and checkpoints/; several together are an ensemble"
    add("--run", dest="runs", type=Path, action="append", required=True, metavar="DIR", help=folder)
    weights = "take this checkpoint in place of the run's own; the mean of the parameters where there are several"
    add("--checkpoint", dest="checkpoints", type=Path, action="append", default=[], metavar="PATH", help=weights)
    n_best = "translations of each line; with more than one, lines of `number of the line ||| text ||| score`"
    add("--best", type=int, default=1, metavar="N", help=f"{n_best} (default: 1)")
    add("--beam", type=int, metavar="K", help="hypotheses that the search keeps (default: the run's beam_size)")
    add("--length-penalty", type=float, metavar="A", help="alpha of the length penalty (default: the run's)")
    add("--alignments", type=Path, metavar="FILE", help="write where each target word looked, as JSON")
    add("--pictures", type=Path, metavar="DIR", help="draw the alignment of each line's best translation")
    unknown = "put the source word that an <unk> looked at in its place"
    add("--replace-unknown", action="store_true", help=unknown)
    parser.set_defaults(run=translate)


def build_parser() -> argparse.ArgumentParser:
    """The parser of every command; those of Lightning are only named in it, because importing Lightning is slow."""
    from augrnn.dashboard.commands import add_parser
    from augrnn.lab import commands as lab
    from augrnn.sweeps import commands as sweeps

    parser = argparse.ArgumentParser(
        prog="augrnn", description="Check the findings behind 'Attention and Augmented Recurrent Neural Networks'."
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    sweeps.add_parsers(commands, lab.add_parsers(commands))
    add_parser(commands, sweeps=sweeps.panels)
    timing = commands.add_parser(
        "bench", help="throughput of training, beside torch's own layers of the same size, and of beam search"
    )
    timing.add_argument("--json", action="store_true", help="print the rows as one JSON list")
    timing.add_argument("--seconds", type=float, default=4.0, help="how long each figure is measured (default: 4)")
    timing.set_defaults(run=bench)
    add_translate(commands)
    for name, words in LIGHTNING.items():
        commands.add_parser(name, help=words, add_help=False)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; a user's mistake is one line on standard error and exit status 2."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if words[:1] == ["fit"] and "WANDB_SWEEP_PARAM_PATH" in os.environ:  # W&B's agent has started us
            from augrnn.sweeps import wandb_agents

            return wandb_agents.fit(words)
        if words and words[0] in LIGHTNING:
            from augrnn.training import command

            return command.command_line(words)
        options = build_parser().parse_args(words)
        return options.run(options)
    except UserError as error:
        print(f"augrnn: error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # whoever read our output has seen enough; nothing is left to flush at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE


if __name__ == "__main__":
    sys.exit(main())
