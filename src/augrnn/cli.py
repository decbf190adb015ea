"""The command `augrnn`."""

import argparse
import sys
from collections.abc import Sequence

from augrnn.errors import UserError

LIGHTNING = {
    "fit": "train a model: LightningCLI's fit",
    "validate": "evaluate a checkpoint on validation data",
    "test": "evaluate a checkpoint on the test sets",
    "predict": "write what a checkpoint gives for a file or standard input",
}


def bench(options: argparse.Namespace) -> int:
    """Measure training throughput, and print a table or JSON."""
    import json

    from augrnn.bench import speeds

    rows = []
    for speed in speeds(options.seconds):
        rows.append(speed._asdict())
        if not options.json:
            ours = f"{speed.per_second:9,.0f} {speed.unit} a second"
            torchs = f"(torch's layers: {speed.reference_per_second:9,.0f})"
            print(f"{speed.name:52} {speed.device:20} batch {speed.batch:3}: {ours} {torchs}", flush=True)
    if options.json:
        print(json.dumps(rows, indent=1))
    return 0


def build_parser() -> argparse.ArgumentParser:
    """The parser of every command; those of Lightning are only named in it, because importing Lightning is slow."""
    from augrnn.lab.commands import add_parsers

    parser = argparse.ArgumentParser(
        prog="augrnn", description="Check the findings behind 'Attention and Augmented Recurrent Neural Networks'."
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    add_parsers(commands)
    timing = commands.add_parser("bench", help="training throughput beside torch's own layers of the same size")
    timing.add_argument("--json", action="store_true", help="print the rows as one JSON list")
    timing.add_argument("--seconds", type=float, default=4.0, help="how long each figure is measured (default: 4)")
    timing.set_defaults(run=bench)
    for name, words in LIGHTNING.items():
        commands.add_parser(name, help=words, add_help=False)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; a user's mistake is one line on standard error and exit status 2."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if words and words[0] in LIGHTNING:
            from augrnn import training

            return training.command_line(words)
        options = build_parser().parse_args(words)
        return options.run(options)
    except UserError as error:
        print(f"augrnn: error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
