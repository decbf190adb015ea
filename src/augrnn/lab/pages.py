"""What is written from the committed records: the tables of README, docs/claims.md and cards, and the records' words.

A page has its tables between the marks `<!-- NAME:begin -->` and `<!-- NAME:end -->`.
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from augrnn import files
from augrnn.errors import UserError
from augrnn.lab.check import same
from augrnn.lab.claims_tables import (
    claims_tables,
    committed,
    counted,
    markdown,
    marked_sweeps,
    of_them,
    records_of,
    results_tables,
    strongest,
    strongest_of,
)
from augrnn.lab.committed_record import Record, judge, results_path
from augrnn.lab.committed_sweep import SweepRecord, record_path
from augrnn.lab.experiment import Experiment, discover
from augrnn.lab.sweep_tables import sweep_sections
from augrnn.yaml_files import read_config


def pages(experiments: Path) -> dict[Path, str]:
    """The README, docs/claims.md, all cards and all records as they should be.

    A record's verdicts are put into the words of today's claims where they have not changed: `check` is for those.

    Raises:
      UserError: a page or its marks are missing.
    """
    root, found = experiments.parent, discover(experiments)
    records = {path: text for each in found for path, text in _records(each, experiments).items()}
    tables: dict[Path, Mapping[str, str]] = {
        root / "README.md": {
            "summary": summary(found, experiments),
            "experiments": experiments_table(found, experiments),
            "models": models_table(found, experiments),
        },
        root / "docs" / "claims.md": {"claims": claims_tables(found, experiments)},
        **{experiments / each.name / "README.md": {"results": card_tables(each, experiments)} for each in found},
    }
    return {**records, **{path: _filled(path, marked) for path, marked in tables.items()}}


def card_tables(experiment: Experiment, experiments: Path) -> str:
    """Markdown: what a card shows of an experiment's records and of its sweeps."""
    return "\n\n".join([results_tables(experiment, experiments), *sweep_sections(experiment, experiments)])


def _records(experiment: Experiment, experiments: Path) -> dict[Path, str]:
    found = {}
    for scale, record in committed(experiment, experiments).items():
        found[results_path(experiments, experiment.name, scale)] = _reworded(experiment, record)
    for sweep, swept in marked_sweeps(experiment, experiments).items():
        found[record_path(experiments, experiment.name, sweep)] = _reworded(experiment, swept)
    return found


def _reworded(experiment: Experiment, record: Record | SweepRecord) -> str:
    """A record's file with its verdicts in today's words."""
    verdicts = dict(record.verdicts)
    for name, verdict in judge(experiment, record.results).items():
        if name in verdicts and same(verdicts[name], verdict):
            verdicts[name] = replace(verdicts[name], text=verdict.text)
    return replace(record, verdicts=verdicts).encoded()


# The README


def summary(found: Sequence[Experiment], experiments: Path) -> str:
    """A line: how many claims have which verdict."""
    return f"**{counted([row for each in found for row in strongest(each, experiments)])}.**"


def experiments_table(found: Sequence[Experiment], experiments: Path) -> str:
    """Markdown: a line for each experiment."""
    lines = []
    for experiment in found:
        here = records_of(experiment, experiments, None)
        rows = strongest_of(experiment, here.every)
        reproduced = [row.verdict for row in rows if row.verdict.state == "reproduced"]
        thin = of_them(sum(bool(verdict.thin) for verdict in reproduced))
        judging = [record for scale, record in here.records.items() if experiment.judges(scale)]
        swept = [name for name, record in here.sweeps.items() if record.verdicts]
        link = f"[{experiment.name}]({experiments.name}/{experiment.name}/README.md)"
        sizes = [f"{judging[-1].scale}, {_seeds(judging[-1])}"] if judging else []
        size = "; ".join([*sizes, *(f"sweep {name}" for name in swept)])
        found_out = f"{len(reproduced)} of {len(rows)}{thin}" if size else f"{len(rows)}, not run"
        lines.append([link, experiment.title, found_out, size])
    return markdown(["experiment", "finding", "claims reproduced", "scale"], lines)


def _seeds(record: Record) -> str:
    counts = sorted({variant["seeds"] for variant in record.variants.values() if "ensemble_of" not in variant})
    return f"{counts[0]} seed{'s' * (counts[0] != 1)}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]} seeds"


def models_table(found: Sequence[Experiment], experiments: Path) -> str:
    """Markdown: for each task the configs of its models and the cards of its experiments; below, each model's code."""
    root = experiments.parent
    configs: dict[str, dict[str, str]] = {}
    tasks, code = {}, {}
    for path in sorted(root.glob("configs/*/*.yaml")):
        content = read_config(path)
        if "data" not in content or "model" not in content:  # a sweep or a cluster's profile
            continue
        configs.setdefault(path.parent.name, {})[path.stem] = path.relative_to(root).as_posix()
        tasks[path.parent.name] = _file(content["data"])
        code[path.stem] = _model_file(content["model"])
    cards: dict[str, dict[str, str]] = {task: {} for task in tasks}
    for experiment in found:
        for task in {Path(variant.config).parent.name for variant in experiment.variants.values()} & set(tasks):
            cards[task][experiment.name] = f"{experiments.name}/{experiment.name}/README.md"
    lines = [[_links({task: tasks[task]}), _links(configs[task]), _links(cards[task])] for task in tasks]
    return f"{markdown(['task', 'models', 'findings'], lines)}\n\nThe code of each model: {_links(code)}."


def _links(paths: Mapping[str, str]) -> str:
    return ", ".join(f"[{name}]({path})" for name, path in sorted(paths.items()))


def _model_file(model: Mapping[str, Any]) -> str:
    """Where a model's heart is: its cell, its attention, or else its decoder."""
    arguments = model.get("init_args", {})
    if "cell" in arguments:
        return _file(arguments["cell"])
    decoder = arguments.get("decoder", model)
    standard = decoder.get("class_path", "").endswith("AttentiveDecoder")
    return _file(decoder.get("init_args", {}).get("attention", decoder) if standard else decoder)


def _file(content: Any) -> str:
    path = content if isinstance(content, str) else content["class_path"]
    return "src/" + path.rpartition(".")[0].replace(".", "/") + ".py"


# Between the marks


def _filled(path: Path, tables: Mapping[str, str]) -> str:
    marks = {name: (f"<!-- {name}:begin -->", f"<!-- {name}:end -->") for name in tables}
    if not path.exists():
        lines = " and ".join(" ".join(pair) for pair in marks.values())
        raise UserError(f"{path} is missing; write it, with the lines {lines} where its tables go")
    page = path.read_text(encoding="utf-8")
    for name, (begin, end) in marks.items():
        if page.count(begin) != 1 or page.count(end) != 1 or page.index(begin) > page.index(end):
            raise UserError(f"{path} needs the line {begin} once and, after it, {end} once, where its table goes")
        filling = f"{begin}\n\n{tables[name]}\n\n{end}"
        page = re.sub(f"{begin}.*{end}", lambda _, filling=filling: filling, page, flags=re.DOTALL)  # type: ignore[misc]
    return page


def changed(experiments: Path) -> dict[Path, str]:
    """The files that are not as they should be, each with how they should be."""
    return {path: text for path, text in pages(experiments).items() if path.read_text(encoding="utf-8") != text}


def write(experiments: Path) -> list[Path]:
    """Bring all pages and records up to date; the files that changed."""
    records = {path: text for path, text in changed(experiments).items() if path.suffix == ".json"}
    for path, text in records.items():
        _write(path, text)
    updates = changed(experiments)  # the tables have the words of the records
    for path, text in updates.items():
        _write(path, text)
    return [*records, *updates]


def _write(path: Path, text: str) -> None:
    with files.replacing(path) as file:
        file.write(text.encode())


def difference(path: Path, text: str) -> str:
    """How a page differs from how it should be, as a unified diff."""
    lines = path.read_text(encoding="utf-8").splitlines(), text.splitlines()
    return "\n".join(difflib.unified_diff(*lines, "as it is", "as it should be", lineterm="", n=0))
