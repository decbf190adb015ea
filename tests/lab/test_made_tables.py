"""What experiments on made-up tables share: the recipe and the config of one column, and what is judged."""

from pathlib import Path
from typing import Any

import pytest

from augrnn.lab import made_tables
from augrnn.lab.settings import merged
from augrnn.yaml_files import read_config

ROOT = Path(__file__).parents[2]


def test_the_config_has_the_recipe_of_one_column() -> None:
    config: dict[str, Any] = dict(read_config(ROOT / made_tables.PROGRAMMER))
    found = merged(config, made_tables.recipe(made_tables.UNIT))
    assert found["data"]["init_args"].pop("column_lessons") == []
    assert found == config


@pytest.mark.parametrize(("columns", "words"), [(2, False), (2, True), (3, False), (5, False), (5, True), (10, False)])
def test_tables_have_all_columns_at_the_end_and_no_noise_after_their_lessons(columns: int, words: bool) -> None:
    settings: dict[str, Any] = made_tables.recipe(300, columns, words)
    lessons = settings["data"]["init_args"]["column_lessons"]
    noise = settings["trainer"]["callbacks"][1]["init_args"]
    starts = [start for start, _ in lessons]
    assert starts == sorted(set(starts))
    assert (lessons[-1][1] == columns) if lessons else columns == 2
    assert noise.get("until") == (lessons[1][0] if lessons else None)
    assert [*starts, noise["last"]][-1] < settings["model"]["init_args"]["scheduler"]["init_args"]["milestones"][0]


def test_training_without_help_leaves_the_papers_training() -> None:
    config: dict[str, Any] = dict(read_config(ROOT / made_tables.PROGRAMMER))
    found = merged(config, made_tables.unhelped(6000))
    data = found["data"]["init_args"]
    assert (data["differences"], data["lessons"], data["column_lessons"]) == (None, [], [])
    assert [each["class_path"].split(".")[-1] for each in found["trainer"]["callbacks"]] == ["ModelCheckpoint"]
    assert found["trainer"]["max_steps"] == 6000
    assert found["model"]["init_args"]["scheduler"]["init_args"]["milestones"] == [4500, 5500]
    assert found["model"]["init_args"]["cell"] == config["model"]["init_args"]["cell"]


def test_right_is_about_the_wider_range() -> None:
    run = {"right": {"10": 0.75, "200": 0.5}}
    assert made_tables.by_range(run) == (75, 50)  # type: ignore[arg-type]
    assert made_tables.right(run) == 50  # type: ignore[arg-type]
