"""What is committed of an experiment's exhibits is what its record and its models show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from augrnn.cli import main
from augrnn.errors import UserError
from augrnn.exhibits.exhibit import read_exhibits
from augrnn.exhibits.memory_trace import MemoryTrace
from augrnn.lab import committed_exhibits
from augrnn.lab.claims_tables import committed
from augrnn.lab.committed_exhibits import exhibits_path, write_again
from augrnn.lab.experiment import load, names

if TYPE_CHECKING:
    from tests.lab.conftest import World

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


@pytest.mark.parametrize("name", names(EXPERIMENTS))
def test_the_committed_exhibits_are_those_of_the_record(name: str) -> None:
    experiment = load(name, EXPERIMENTS)
    records = committed(experiment, EXPERIMENTS)
    if not records:
        pytest.skip("nothing is on record yet")
    for scale, record in records.items():
        kept = read_exhibits(exhibits_path(EXPERIMENTS, name, scale))
        expected = experiment.exhibits(record.results, {})
        assert {each: kept[each].content() for each in expected} == {
            each: exhibit.content() for each, exhibit in expected.items()
        }
        pictures = EXPERIMENTS / name / "figures" / scale
        assert {f"{each}.png" for each in kept} <= {path.name for path in pictures.iterdir()}


@pytest.mark.parametrize("name", names(EXPERIMENTS))
def test_every_claim_tells_its_bar(name: str) -> None:
    for claim in load(name, EXPERIMENTS).claims:
        assert all(claim.bar(scale) for scale in claim.rules)


@pytest.mark.parametrize("name", names(EXPERIMENTS))
def test_with_its_models_an_experiment_has_all_the_pictures_that_are_committed(name: str) -> None:
    experiment = load(name, EXPERIMENTS)
    steps = np.ones((2, 2))
    names = [
        "heads",
        "contexts",
        "alignment",
        "alignments",
        "overlay-0",
        "pondering",
        "program",
        "programs",
    ]
    shown = dict.fromkeys(names, MemoryTrace("", steps, steps, steps, steps))
    for scale, record in committed(experiment, EXPERIMENTS).items():
        models = {key: shown for key, run in record.results.runs.items() if run.status == "finished"}
        found = experiment.exhibits(record.results, models)
        assert {path.stem for path in (EXPERIMENTS / name / "figures" / scale).iterdir()} == set(found)
        for each in (found[part] for part in ("heads", "contexts") if part in found):
            assert each.title in {f"{variant}, seed {seed}" for variant, seed in models}


def test_written_again_without_models_what_they_showed_is_kept(finished: World) -> None:
    path = exhibits_path(finished.experiments, "toy/learn", "smoke")
    before = path.read_text()
    pictures = finished.experiments / "toy/learn/figures/smoke"
    for picture in pictures.iterdir():
        picture.unlink()
    assert write_again(finished.experiment, finished.experiments) == [path]
    assert path.read_text() == before
    assert sorted(picture.stem for picture in pictures.iterdir()) == sorted(json.loads(before))


def test_the_command_makes_them_from_the_record_alone(
    finished: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = exhibits_path(finished.experiments, "toy/learn", "smoke")
    path.unlink()
    monkeypatch.chdir(finished.root)
    assert main(["figures", "toy/learn"]) == 0
    assert capsys.readouterr().out == f"{path}, with its pictures\n"
    assert list(json.loads(path.read_text())) == ["learning"]


@pytest.mark.parametrize(("form", "head"), [(None, b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_the_command_draws_elsewhere_and_leaves_the_committed_files(
    form: str | None,
    head: bytes,
    finished: World,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    path = exhibits_path(finished.experiments, "toy/learn", "smoke")
    pictures = finished.experiments / "toy/learn/figures/smoke"
    pictures.joinpath("learning.png").write_bytes(b"as it was")
    before = {each: each.read_bytes() for each in finished.experiments.rglob("*") if each.is_file()}
    monkeypatch.chdir(finished.root)
    assert main(["figures", "--out", str(tmp_path / "mine"), *(["--format", form] if form else [])]) == 0
    drawn = [tmp_path / "mine/toy/learn/smoke" / f"{name}.{form or 'png'}" for name in read_exhibits(path)]
    assert capsys.readouterr().out == "".join(f"{each}\n" for each in drawn)
    assert all(each.read_bytes().startswith(head) for each in drawn)
    assert {each: each.read_bytes() for each in finished.experiments.rglob("*") if each.is_file()} == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--format", "svg"], "--format needs --out DIR"),
        (["nothing/here", "--out", "{out}"], "nothing/here"),
        (["--out", "{file}"], "cannot write"),
    ],
)
def test_what_cannot_be_drawn_elsewhere_is_one_line(
    options: list[str],
    message: str,
    finished: World,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.chdir(finished.root)
    given = [each.format(out=tmp_path / "out", file=tmp_path / "file") for each in options]
    assert main(["figures", *given]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_too_much_to_commit_is_one_line(finished: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(committed_exhibits, "LIMIT", 100)
    before = exhibits_path(finished.experiments, "toy/learn", "smoke").read_text()
    with pytest.raises(UserError, match=r"toy/learn: the exhibits of scale smoke have .* bytes, more than the 100"):
        finished.reproduce(commit=True)
    assert exhibits_path(finished.experiments, "toy/learn", "smoke").read_text() == before
