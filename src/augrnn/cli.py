"""The command `augrnn`."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from augrnn.errors import UserError

LIGHTNING = {
    "fit": "train a model: LightningCLI's fit",
    "validate": "evaluate a checkpoint on validation data",
    "test": "evaluate a checkpoint on the test sets",
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


def build_parser() -> argparse.ArgumentParser:
    """The parser of every command; those of Lightning are only named in it, because importing Lightning is slow."""
    from augrnn.cluster.commands import add_launcher
    from augrnn.dashboard.commands import add_parser
    from augrnn.inference import commands as inference
    from augrnn.lab import commands as lab
    from augrnn.sweeps import commands as sweeps

    parser = argparse.ArgumentParser(
        prog="augrnn", description="Check the findings behind 'Attention and Augmented Recurrent Neural Networks'."
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    add_launcher(lab.add_parsers(commands))
    sweeps.add_parsers(commands)
    add_parser(commands, sweeps=sweeps.panels)
    timing = commands.add_parser(
        "bench", help="throughput of training, beside torch's own layers of the same size, and of beam search"
    )
    timing.add_argument("--json", action="store_true", help="print the rows as one JSON list")
    timing.add_argument("--seconds", type=float, default=4.0, help="how long each figure is measured (default: 4)")
    timing.set_defaults(run=bench)
    inference.add_parsers(commands)
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
            from augrnn.training import short_help

            if (text := short_help.asked(words)) is not None:
                print(text)
                return 0
            from augrnn.training import command

            return command.command_line(short_help.lightnings(words))
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
