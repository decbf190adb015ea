#!/usr/bin/env python3
"""Writes what a trained translator would say if it looked elsewhere, as the report's page has it, into
src/augrnn/report/live/NAME.json. The sentences are made up, and were not trained on.

scripts/live_examples.py rnnsearch runs/attention/translation/small/rnnsearch/seed-0
scripts/live_examples.py rnnenc runs/attention/translation/small/rnnenc/seed-0
scripts/live_examples.py untrained runs/attention/translation/small/rnnsearch/seed-0 --untrained

An untrained network is given what the trained one writes, and only where it looks is kept.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import augrnn
from augrnn.files import read_json, replacing
from augrnn.inference.what_if import SHARES, Likely, WhatIf, what_if
from augrnn.measures.untrained import untrained
from augrnn.report.explore import LIVE
from augrnn.run_folder import PROVENANCE
from augrnn.systems.encoder_decoder import EncoderDecoder

SENTENCES = (
    "A man in a blue shirt plays the guitar.",
    "Two white dogs are running in the snow.",
    "A girl with a red hat is eating ice cream.",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="of the file")
    parser.add_argument("run", type=Path, help="a run's folder")
    parser.add_argument("--untrained", action="store_true", help="the same network with new random weights")
    options = parser.parse_args()
    model = augrnn.load(options.run)
    found = [what_if(model, sentence) for sentence in SENTENCES]
    if options.untrained:
        fresh = replace(model, system=untrained(cast(EncoderDecoder, model.system)))
        targets = [each.text for each in found]
        given = [what_if(fresh, sentence, target) for sentence, target in zip(SENTENCES, targets, strict=True)]
        found = [each._replace(without=[], pulled=[]) for each in given]
    provenance = read_json(options.run / PROVENANCE, "experiment", "scale", "variant", "seed")
    content = {
        "run": {name: provenance[name] for name in ("experiment", "scale", "variant", "seed")},
        "untrained": options.untrained,
        "shares": SHARES,
        "sentences": [_told(each) for each in found],
    }
    with replacing(LIVE / f"{options.name}.json") as file:
        file.write(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")


def _told(found: WhatIf) -> dict[str, Any]:
    return {
        "source": found.source,
        "target": found.target,
        "text": found.text,
        "own": _steps(found.own),
        "without": [{**_steps(each.steps), "text": each.text} for each in found.without],
        "pulled": [[[_likely(each) for each in steps] for steps in shares] for shares in found.pulled],
    }


def _steps(steps: Any) -> dict[str, Any]:
    return {"weights": steps.weights_MW.round(3).tolist(), "next": [_likely(each) for each in steps.next]}


def _likely(likely: Likely) -> list[Any]:
    return [[unit, round(chance, 4)] for unit, chance in likely]


if __name__ == "__main__":
    main()
