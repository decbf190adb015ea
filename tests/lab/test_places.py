"""Where experiments are found, and that nothing of a foreign folder is run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from augrnn.cli import main
from augrnn.errors import UserError
from augrnn.lab import places
from augrnn.lab.experiment import load
from augrnn.lab.places import config_path, names, own_place, packaged, place_of

if TYPE_CHECKING:
    from tests.lab.conftest import World

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def here(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A project of a user's, as the working directory."""
    monkeypatch.chdir(world.root)
    return world


def test_own_experiments_come_before_the_packages(here: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert places.places() == [here.experiments, packaged()]
    assert own_place() == here.experiments
    assert place_of("toy/learn") == here.experiments
    assert place_of("ntm/copy") == packaged() == REPOSITORY / "experiments"
    assert main(["list"]) == 0
    shown = capsys.readouterr().out
    assert shown.index("toy/learn") < shown.index("ntm/copy")
    with pytest.raises(UserError, match="no experiment called toy/lern; did you mean toy/learn"):
        place_of("toy/lern")


def test_an_own_experiment_wins_over_the_packages_of_its_name(here: World, capsys: pytest.CaptureFixture[str]) -> None:
    (here.experiments / "ntm/copy").mkdir(parents=True)
    text = (here.experiments / "toy/learn/experiment.py").read_text()
    (here.experiments / "ntm/copy/experiment.py").write_text(text.replace("toy/learn", "ntm/copy"))
    assert main(["list"]) == 0
    assert capsys.readouterr().out.count("ntm/copy") == 1
    assert load("ntm/copy", place_of("ntm/copy")).title == "A toy that learns"


def test_in_a_clone_only_its_own_count(here: World) -> None:
    (here.root / "src/augrnn").mkdir(parents=True)
    assert places.places() == [here.experiments]
    with pytest.raises(UserError, match="there is no experiment called ntm/copy"):
        place_of("ntm/copy")


FOREIGN = [
    "raise SystemExit('it ran')\n",
    "import torch\nraise SystemExit('it ran')\n",
    "from augrnnx import y\nraise SystemExit('it ran')\n",
    "text = 'import augrnn'\nraise SystemExit('it ran')\n",
    "def later():\n    import augrnn\nraise SystemExit('it ran')\n",
    "print 'python 2'\nraise SystemExit('it ran')\n",
    "\xff\x00",
]


@pytest.mark.parametrize("text", FOREIGN)
@pytest.mark.parametrize("words", [["list"], ["check"], ["reproduce", "a/b"]])
def test_a_foreign_experiments_folder_is_told_of_and_never_run(
    text: str, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "experiments/a/b/experiment.py"
    path.parent.mkdir(parents=True)
    path.write_bytes(text.encode("latin-1"))
    assert names(tmp_path / "experiments") == []
    assert main(words) == (2 if words[0] == "reproduce" else 0)
    shown = capsys.readouterr()
    if words == ["list"]:
        assert "has no experiment of augrnn's" in shown.err
        assert "ntm/copy" in shown.out


def test_what_belongs_to_an_installed_package_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shipped/experiments").mkdir(parents=True)
    monkeypatch.setattr(places, "PACKAGE", tmp_path)
    assert packaged() == tmp_path / "shipped/experiments"
    with pytest.raises(UserError, match="no experiments of your own here"):
        own_place()


def test_a_config_is_the_projects_own_or_else_the_packages(here: World) -> None:
    assert config_path(here.root, "configs/toy.yaml") == here.root / "configs/toy.yaml"
    assert config_path(here.root, "configs/copy/lstm.yaml") == REPOSITORY / "configs/copy/lstm.yaml"
    assert config_path(here.root, "configs/none.yaml") == here.root / "configs/none.yaml"
    (here.root / "configs/copy").mkdir()
    (here.root / "configs/copy/lstm.yaml").write_text("{}")
    assert config_path(here.root, "configs/copy/lstm.yaml") == here.root / "configs/copy/lstm.yaml"


def test_a_variant_may_use_a_config_of_the_packages(here: World) -> None:
    path = here.experiments / "toy/learn/experiment.py"
    path.write_text(path.read_text().replace('Variant("configs/toy.yaml")', 'Variant("configs/copy/lstm.yaml")'))
    plan = load("toy/learn", here.experiments).plan("small", here.experiments)
    assert plan[0].settings["model"]["class_path"] == "augrnn.systems.transducer.Transducer"
