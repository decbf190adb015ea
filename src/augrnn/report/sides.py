"""What two things a comparison is of: records of experiments, their variants, and the folders of runs."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ValidationError

from augrnn.errors import UserError
from augrnn.files import read_json
from augrnn.known_names import known, near
from augrnn.lab.claims import State
from augrnn.lab.claims_tables import Judged, committed, judged, own_records, with_marks
from augrnn.lab.committed_record import FORMAT, Record, own_path, provenance_of, read_record, results_path
from augrnn.lab.experiment import Experiment, load
from augrnn.lab.places import config_path, names, place_of, places
from augrnn.lab.plan import fingerprint
from augrnn.lab.records import IDENTITY, faults, read_curves
from augrnn.lab.results import Curve, RunRecord
from augrnn.lab.settings import merged
from augrnn.run_folder import CONFIG, METRICS, PROVENANCE, SUMMARY
from augrnn.training.defaults import TRAINER

Kind = Literal["changed", "named", "resolved"]
KINDS: tuple[Kind, ...] = ("changed", "named", "resolved")
"""How much is known of settings: what was changed of a config; what config and changes name; every default as well."""

LOGGED = ("train/", "val/", "test/")
"""How the names of metrics begin; what else is in a run's metrics.csv is of its machine and optimiser."""


class Known(NamedTuple):
    """The settings of a model, values by their dotted names, and how much of them is known."""

    kind: Kind
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Model:
    """What one side has trained under one name, over one or more seeds.

    Attributes:
      name: of the variant; of a run that is no experiment's, that of its folder.
      settings: what it was trained with.
      runs: those that have ended, or what there is of a single one.
      planned: how many runs were to be.
    """

    name: str
    settings: Known
    runs: tuple[RunRecord, ...]
    planned: int


@dataclass(frozen=True)
class Side:
    """One of the two.

    Attributes:
      name: as the user calls it.
      about: what it is, in words.
      place: the file or folder that it was read from, and the variant that it was narrowed to.
      models: by name.
      rows: verdicts on the claims of the experiment; empty for a variant or a run, which no verdict is of.
      provenance: as a record has it.
    """

    name: str
    about: str
    place: tuple[Path, str]
    models: Mapping[str, Model]
    rows: Sequence[Judged] = ()
    provenance: Mapping[str, Sequence[Any]] | None = None


def sides(names_of_both: Sequence[str], runs: Path | None) -> tuple[Side, Side]:
    """Two things to compare, by what the user calls them.

    Args:
      names_of_both: each an experiment's name, with its scale and a variant where these are asked for
        ("ntm/copy@small:lstm"; the largest scale on record where none is); or a path: of a record, of the folder that
        has it, of a run's folder; a variant may follow a record's.
      runs: the user's own results, which count where nothing is committed; None for none.

    Raises:
      UserError: there is no such thing, it is damaged, or both are the same.
    """
    first, second = names_of_both
    one, other = side(first, runs), side(second, runs)
    if one.place[0] == other.place[0]:
        if one.place == other.place:
            raise UserError(f"{first} and {second} are the same: there is nothing to compare")
        if not (one.place[1] and other.place[1]):
            raise UserError(f"{first} and {second} are of one record: name a variant of it on both sides, NAME:VARIANT")
    for whole, single in ((one, other), (other, one)):
        if len(single.models) == 1 < len(whole.models) and not single.models.keys() & whole.models.keys():
            few = f"{whole.name}:{next(iter(whole.models))}"
            raise UserError(
                f"{single.name} is one model and {whole.name} has {', '.join(whole.models)}: name one of these, {few}"
            )
    return one, other


def side(name: str, runs: Path | None) -> Side:
    """One thing to compare; see `sides`."""
    every = [each for place in places() for each in names(place)]
    for whole, variant in _readings(name):
        base, _, scale = whole.rpartition("@")
        for called, size in ((whole.strip("/"), ""), (base.strip("/"), scale)):
            if called in every and ":" not in size:
                return _narrowed(_of_experiment(called, size, runs), name, variant)
        if os.path.exists(whole):  # unlike Path's, it is False for a name that is too long
            return _narrowed(_of_path(Path(whole)), name, variant)
    likely = near(name.partition(":")[0].partition("@")[0], every)
    hint = (
        f"did you mean {' or '.join(likely)}?" if likely else "name an experiment (ntm/copy@small), a record or a run"
    )
    raise UserError(f"there is no experiment and no path called {name}; {hint}")


def _readings(name: str) -> Iterator[tuple[str, str]]:
    """The name as it is, and cut in two at each colon from the last one on: folders and variants may have some."""
    parts = name.split(":")
    for count in range(len(parts), 0, -1):
        yield ":".join(parts[:count]), ":".join(parts[count:])


def _narrowed(found: Side, name: str, variant: str) -> Side:
    if not variant:
        return replace(found, name=name)
    chosen = known(variant, found.models, f"variant of {name.removesuffix(f':{variant}')}")
    about = f"variant {chosen} of the {found.about}"
    place = (found.place[0], chosen)
    return replace(found, name=name, about=about, place=place, models={chosen: found.models[chosen]}, rows=())


# Records -------------------------------------------------------------------------------------------------------------


def _of_experiment(name: str, scale: str, runs: Path | None) -> Side:
    place = place_of(name)
    experiment = load(name, place)
    records, whose = committed(experiment, place), "committed record"
    if not records and runs is not None:
        records, whose = own_records(experiment, runs), "record of your own runs"
    if scale and known(scale, experiment.scales, f"scale of {name}") not in records:
        has = f"it has {' and '.join(records)}" if records else "it has none"
        raise UserError(f"{name} has no record at scale {scale}; {has}")
    if not records:
        raise UserError(f"{name} has no record yet: augrnn reproduce {name} makes one")
    record = records[scale or list(records)[-1]]
    if whose == "committed record" or runs is None:
        where = results_path(place, name, record.scale)
    else:
        where = own_path(runs, name, record.scale)
    return _of_record(record, whose, where, experiment, place)


def _of_path(path: Path) -> Side:
    record = path / "results.json" if path.is_dir() else path
    if record.is_file() and record.suffix == ".json":
        return _record_in(record)
    if path.is_dir() and any((path / name).is_file() for name in (PROVENANCE, CONFIG)):
        return _of_run(path)
    raise UserError(f"{path} holds neither a record (results.json) nor a run ({PROVENANCE} or {CONFIG})")


def _record_in(path: Path) -> Side:
    content = read_json(path, "format")
    if "sweep" in content:
        raise UserError(f"{path} is the record of a sweep: name one of its runs, or the record of an experiment")
    if content["format"] == FORMAT:  # of another one `read_record` says so
        _require(_Record, content, path)
        if fault := next(filter(None, map(faults, content["runs"])), ""):
            raise UserError(f"{path} is damaged, or no record (runs: {fault})")
    record = read_record(path)
    assert record is not None
    place = next((each for each in places() if record.experiment in names(each)), None)
    experiment = None if place is None else load(record.experiment, place)
    record = with_marks(experiment, record) if experiment else record
    return _of_record(record, f"record {path}", path, experiment, place)


def _of_record(record: Record, whose: str, path: Path, experiment: Experiment | None, place: Path | None) -> Side:
    models = {
        name: Model(
            name,
            _settings(record, name, place),
            tuple(run for run in record.runs if run.variant == name),
            variant["seeds"],
        )
        for name, variant in record.variants.items()
    }
    return Side(
        name="",
        about=f"{whose}, {record.experiment} at scale {record.scale}",
        place=(path.resolve(), ""),
        models=models,
        rows=judged(experiment, record, record.scale) if experiment else (),
        provenance=record.provenance,
    )


def _settings(record: Record, variant: str, place: Path | None) -> Known:
    """All that was named of a variant's settings where its config is still the one that was trained with."""
    kept = record.variants[variant]
    whose = {name: kept[name] for name in ("config", "ensemble_of") if name in kept}
    trained = record.variants.get(kept.get("ensemble_of", variant))
    changed = Known("changed", {**whose, **flat(kept["settings"])})
    path = None if place is None else config_path(place.parent, kept["config"])
    if trained is None or path is None or not path.is_file():
        return changed
    from augrnn.yaml_files import read_config  # slow to import

    named = merged(read_config(path, record.experiment), kept["settings"])
    if fingerprint({**named, "seed_everything": 0}, record.scale) != trained["fingerprint"]:
        return changed
    return Known("named", {**whose, **flat(merged({"trainer": TRAINER}, named))})


def flat(settings: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Values by their dotted names; lists are values."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        whole = f"{before}{name}"
        found |= flat(value, f"{whole}.") if isinstance(value, Mapping) and value else {whole: value}
    return found


# Folders of runs -----------------------------------------------------------------------------------------------------


def _of_run(folder: Path) -> Side:
    """The folder of an experiment's run, of a sweep's, or of `augrnn fit`."""
    has = {name: (folder / name).is_file() for name in (SUMMARY, PROVENANCE)}
    record = {"status": "finished", "variant": folder.resolve().name, "seed": 0}
    provenance = None
    if has[PROVENANCE]:
        origin = read_json(folder / PROVENANCE, "experiment")
        _require(_Origin, origin, folder / PROVENANCE)
        record |= {name: origin[name] for name in ("variant", "seed")}
        settings = Known("named", flat(merged({"trainer": TRAINER}, origin["settings"])))
        about = f"{origin['experiment']} at scale {origin['scale']}, {origin['variant']}, seed {origin['seed']}"
        about += "" if has[SUMMARY] else ", which has not ended"
        provenance = provenance_of([folder])
    else:
        from augrnn.yaml_files import read_config

        settings, about = Known("resolved", flat(read_config(folder / CONFIG))), "of augrnn fit"
    curves = _logged(folder / METRICS)
    if has[SUMMARY]:
        summary = read_json(folder / SUMMARY, "status")
        record |= {name: value for name, value in summary.items() if name not in IDENTITY}
        kept = summary.get("curves")
        record["curves"] = {**kept, **curves} if isinstance(kept, dict) else kept
    else:
        record |= {"curves": curves, **_amounts(curves)}
    if fault := faults(record):
        raise UserError(f"{folder / SUMMARY} is damaged, or of another version ({fault})")
    name = str(record["variant"])
    models = {name: Model(name, settings, (RunRecord(**record),), 1)}  # type: ignore[arg-type]
    return Side("", f"run {folder}, {about}", (folder.resolve(), ""), models, provenance=provenance)


def _logged(path: Path) -> dict[str, Curve]:
    try:
        found = read_curves(path)
    except ValueError as error:  # no number, or no UTF-8
        raise UserError(f"{path} is damaged ({error})") from error
    return {name: curve for name, curve in found.items() if name.startswith(LOGGED)}


def _amounts(curves: Mapping[str, Curve]) -> dict[str, int]:
    """How far a run has trained that has left no summary."""
    ends = {
        name: [int(curve[name][-1] or 0) for curve in curves.values() if curve[name][-1] is not None]
        for name in ("updates", "sequences")
    }
    found = {name: max(values) for name, values in ends.items() if values}
    return found | ({"updates": found["updates"] + 1} if "updates" in found else {})  # they are counted from 0


# Their layouts: a file that the user names may be any ----------------------------------------------------------------


class _Variant(BaseModel):
    config: str
    settings: dict[str, Any]
    seeds: int
    fingerprint: str


class _Verdict(BaseModel):
    claim: str
    verdict: State
    value: float | None
    interval: tuple[float | None, float | None] | None
    seeds: int
    text: str


class _Record(BaseModel):
    experiment: str
    scale: str
    variants: dict[str, _Variant]
    provenance: dict[str, list[Any]]
    runs: list[dict[str, Any]]
    verdicts: list[_Verdict]


class _Leg(BaseModel):
    commit: str | None
    python: str
    versions: dict[str, str]
    hardware: str
    threads: int | None


class _Origin(BaseModel):
    experiment: str
    scale: str
    variant: str
    seed: int
    settings: dict[str, Any]
    legs: list[_Leg]


def _require(form: type[BaseModel], content: Mapping[str, Any], path: Path) -> None:
    try:
        form.model_validate(content)
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(str(part) for part in fault["loc"])
        raise UserError(f"{path} is damaged, or no record ({where}: {fault['msg']})") from error
