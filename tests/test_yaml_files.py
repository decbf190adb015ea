"""YAML as LightningCLI reads it."""

import math
from pathlib import Path
from typing import Any

import pytest
from jsonargparse import ArgumentParser

from augrnn.errors import UserError
from augrnn.lab.settings import from_words
from augrnn.yaml_files import Strict, parsed, read_config, read_strict

WORDS = [
    "1e-3",
    "1E5",
    "-2e+4",
    "0.001",
    "3e-4",
    ".5",
    "7",
    "1_000",
    "true",
    "null",
    "abc",
    "2024-01-02",
    "~",
    "[1e-3, a]",
]


@pytest.mark.parametrize("word", WORDS)
def test_a_word_is_what_lightning_cli_makes_of_it(word: str, tmp_path: Path) -> None:
    parser = ArgumentParser()
    parser.add_argument("--x", type=Any)
    expected = parser.parse_args([f"--x={word}"]).x
    assert parsed(word) == expected
    assert type(parsed(word)) is type(expected)
    (tmp_path / "config.yaml").write_text(f"x: {word}\n")
    assert from_words([f"--x={word}"], tmp_path, "a test") == {"x": expected}
    assert read_config(tmp_path / "config.yaml") == {"x": expected}


def test_infinity_is_a_number_and_nothing_is_the_empty_text() -> None:
    assert parsed(".inf") == math.inf
    assert from_words(["--x="], Path(), "a test") == {"x": ""}


class Form(Strict):
    name: str = ""
    sizes: tuple[int, ...] = ()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("name: 24:00:00", "24:00:00"),
        ("name: 1:30.5", "1:30.5"),
        ("name: 010", "010"),
        ("name: on", "on"),
        ("name: No", "No"),
        ("sizes: [1, 2:30]", "2:30"),
        ("name: 12345", "12345"),
        ("name: true", "true"),
        ("name: 1e3", "1e3"),
    ],
)
def test_what_yaml_reads_in_its_own_way_is_to_be_quoted(text: str, word: str, tmp_path: Path) -> None:
    path = tmp_path / "form.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=f'put it in quotes, "{word}"') as raised:
        read_strict(path, Form, "form")
    assert "\n" not in str(raised.value)
    if text.startswith("name"):
        path.write_text(text.replace(word, f'"{word}"'))
        assert read_strict(path, Form, "form").name == word


@pytest.mark.parametrize("text", ["3", "[1]", "a", "name: &a [*a]", "a: [", "name: 1: 2", "name: " + "9" * 5000])
def test_what_is_not_of_the_form_is_one_line(text: str, tmp_path: Path) -> None:
    path = tmp_path / "form.yaml"
    path.write_text(text)
    with pytest.raises(UserError) as raised:
        read_strict(path, Form, "form")
    assert str(raised.value).startswith(str(path))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("text", ["3", "[1]", "a", "a: [", "name: 1: 2", "name: " + "9" * 5000])
def test_what_is_no_config_is_one_line(text: str, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=r"^me: the config .*config.yaml [^\n]*$"):
        read_config(path, "me")
