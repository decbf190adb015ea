#!/usr/bin/env python3
"""Writes what a trained programmer answers to questions about tables, whole and without each of their words, as the
report's page has it, into src/augrnn/report/live/questions.json. The tables and questions are made up.

scripts/live_questions.py runs/programmer/wiki-table-questions/small/programmer/seed-0
"""

import argparse
import json
from pathlib import Path
from typing import Any

import augrnn
from augrnn.files import read_json, replacing
from augrnn.inference.ask import Asker
from augrnn.programs.choices import choosing
from augrnn.programs.neural_programmer import OPERATIONS
from augrnn.report.explore import LIVE
from augrnn.run_folder import PROVENANCE
from augrnn.tables.table import Table

RACES = Table(
    ("Year", "Competition", "Venue", "Position", "Event"),
    (
        ("1999", "European Championships", "Lisbon", "9th", "800 m"),
        ("2000", "National Games", "Oslo", "3rd", "800 m"),
        ("2001", "World Cup", "Athens", "5th", "1500 m"),
        ("2001", "National Games", "Bergen", "1st", "1500 m"),
        ("2003", "European Championships", "Vienna", "2nd", "1500 m"),
        ("2004", "World Cup", "Athens", "1st", "1500 m"),
        ("2006", "Olympic Trials", "Oslo", "4th", "5000 m"),
    ),
    "a runner's races",
)
BRIDGES = Table(
    ("Name", "River", "Country", "Length (m)", "Opened"),
    (
        ("Old Mill Bridge", "Arda", "Norland", "120", "1874"),
        ("Queen's Bridge", "Tave", "Westmark", "455", "1931"),
        ("Harbour Bridge", "Tave", "Westmark", "1,280", "1968"),
        ("Stone Bridge", "Linde", "Norland", "86", "1702"),
        ("Valley Bridge", "Arda", "Norland", "640", "1989"),
        ("North Bridge", "Osel", "Sudria", "910", "2004"),
    ),
    "bridges",
)

QUESTIONS = (
    (RACES, "what was the first competition?", "European Championships"),
    (RACES, "how many races were in oslo?", "2"),
    (RACES, "which competition came after the world cup in 2001?", "National Games"),
    (RACES, "what was the venue of the last world cup?", "Athens"),
    (RACES, "in which year was the position 2nd?", "2003"),
    (BRIDGES, "which bridge is the longest?", "Harbour Bridge"),
    (BRIDGES, "how many bridges are longer than 500 m?", "3"),
    (BRIDGES, "which country is the stone bridge in?", "Norland"),
    (BRIDGES, "which bridge was opened before the harbour bridge?", "Queen's Bridge"),
)
"""A table, a question about it, and its answer."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="a run's folder")
    run: Path = parser.parse_args().run
    asker = Asker(augrnn.load(run))
    provenance = read_json(run / PROVENANCE, "experiment", "scale", "variant", "seed")
    content = {
        "run": {name: provenance[name] for name in ("experiment", "scale", "variant", "seed")},
        "untrained": False,
        "operations": OPERATIONS,
        "tables": {table.name: {"header": table.header, "rows": table.rows} for table in (RACES, BRIDGES)},
        "questions": [_asked(asker, *each) for each in QUESTIONS],
    }
    with replacing(LIVE / "questions.json") as file:
        file.write(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")


def _asked(asker: Asker, table: Table, question: str, answer: str) -> dict[str, Any]:
    words = question.removesuffix("?").split()
    shorter = [" ".join(words[:place] + words[place + 1 :]) + "?" for place in range(len(words))]
    turned = Table(table.header, table.rows[::-1], table.name)
    return {
        "table": table.name,
        "words": words,
        "answer": answer,
        "told": [[_told(asker, rows, text) for text in (question, *shorter)] for rows in (table, turned)],
    }


def _told(asker: Asker, table: Table, question: str) -> dict[str, Any]:
    found = asker.ask(table, question)
    with choosing(asker.system, hard=False):
        soft = asker.ask(table, question)
    steps = [
        {
            "operations": [round(chance, 3) for chance in step.operations],
            "columns": [round(chance, 3) for chance in step.columns],
            "column": step.column,
            "rows": step.rows,
            "soft": [round(share, 3) for share in softly.selected],
        }
        for step, softly in zip(found.steps, soft.steps, strict=True)
    ]
    return {"answer": found.text, "cells": found.cells, "steps": steps}


if __name__ == "__main__":
    main()
