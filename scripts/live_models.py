#!/usr/bin/env python3
"""Writes the weights of a trained run as the report's pages carry them, into src/augrnn/report/live/NAME.json.

scripts/live_models.py copy runs/ntm/copy/smoke/ntm-feedforward/seed-0
scripts/live_models.py tau-0.001 runs/act/parity/small/act-tau-0.001/seed-4    # and for the other taus, 0.01 and 0.1
"""

import argparse
import base64
from pathlib import Path

import yaml

from augrnn.checkpoints import CONFIG_KEY, read_checkpoint
from augrnn.files import read_json, write_json
from augrnn.report.explore import LIVE
from augrnn.run_folder import LAST, PROVENANCE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="of the file")
    parser.add_argument("run", type=Path, help="a run's folder")
    options = parser.parse_args()
    checkpoint = read_checkpoint(options.run / LAST)
    provenance = read_json(options.run / PROVENANCE, "experiment", "scale", "variant", "seed")
    weights = {
        name.removeprefix("cell."): {
            "shape": list(tensor.shape),
            "data": base64.b64encode(tensor.float().numpy().tobytes()).decode(),
        }
        for name, tensor in checkpoint["state_dict"].items()
        if name.startswith("cell.")
    }
    content = {
        "run": {name: provenance[name] for name in ("experiment", "scale", "variant", "seed")},
        "cell": yaml.safe_load(checkpoint[CONFIG_KEY])["model"]["init_args"]["cell"],
        "weights": weights,
    }
    write_json(LIVE / f"{options.name}.json", content)


if __name__ == "__main__":
    main()
