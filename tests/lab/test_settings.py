"""Settings as one nested mapping: what is merged, and what replaces."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonargparse import ArgumentError

from augrnn.errors import UserError
from augrnn.lab.experiment import load
from augrnn.lab.settings import from_words, merged, nested, recorded
from augrnn.training.command import Command
from augrnn.yaml_files import parsed

ROOT = Path(__file__).parents[2]
ADAM = {"class_path": "Adam", "init_args": {"lr": 1, "betas": [0, 1]}}


@pytest.mark.parametrize(
    ("changes", "whole"),
    [
        ([{"a": 1}], {"a": 1, "o": ADAM}),
        ([{"o": {"init_args": {"lr": 2}}}], {"o": {"class_path": "Adam", "init_args": {"lr": 2, "betas": [0, 1]}}}),
        ([{"o": {"init_args": {"betas": [5]}}}], {"o": {"class_path": "Adam", "init_args": {"lr": 1, "betas": [5]}}}),
        ([{"o": {"class_path": "Adam", "init_args": {}}}], {"o": ADAM}),
        ([{"o": {"class_path": "SGD", "init_args": {"lr": 3}}}], {"o": {"class_path": "SGD", "init_args": {"lr": 3}}}),
        ([{"o": {"class_path": "SGD"}}], {"o": {"class_path": "SGD"}}),
        ([{"o": {"lr": 2}}], {"o": {"class_path": "Adam", "init_args": {"lr": 2, "betas": [0, 1]}}}),
        ([{"o": None}], {"o": None}),
        ([{"o": None}, {"o": {"class_path": "SGD"}}], {"o": {"class_path": "SGD"}}),
        ([{"o": "SGD"}, {"o": {"init_args": {"lr": 3}}}], {"o": {"class_path": "SGD", "init_args": {"lr": 3}}}),
    ],
)
def test_what_comes_later_counts(changes: list[dict[str, Any]], whole: dict[str, Any]) -> None:
    assert merged({"o": ADAM}, *changes) == whole
    assert ADAM == {"class_path": "Adam", "init_args": {"lr": 1, "betas": [0, 1]}}


trees = st.recursive(
    st.integers() | st.none() | st.lists(st.integers()),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=8,
)
mappings = st.dictionaries(st.sampled_from("abc"), trees)


@given(mappings, mappings, mappings)
def test_merging_can_be_done_in_any_grouping(one: Any, two: Any, three: Any) -> None:
    assert merged(merged(one, two), three) == merged(one, two, three)
    assert merged(one, one) == one


def test_a_class_and_its_arguments_may_come_in_any_order() -> None:
    cell = {"class_path": "NTM", "init_args": {"rows": 3}}
    for options in ({"c.class_path": "NTM", "c.init_args.rows": 3}, {"c.init_args.rows": 3, "c.class_path": "NTM"}):
        assert nested(options) == {"c": cell}
        assert merged({"c": {"class_path": "LSTM", "init_args": {"units": 9}}}, nested(options)) == {"c": cell}


def test_dotted_names_are_nested_in_their_order() -> None:
    options = {"model.cell": {"class_path": "NTM"}, "model.cell.init_args.rows": 3, "trainer.max_steps": 5}
    cell = {"class_path": "NTM", "init_args": {"rows": 3}}
    assert nested(options) == {"model": {"cell": cell}, "trainer": {"max_steps": 5}}


def test_records_spell_what_json_lacks_as_a_config_does() -> None:
    settings = {"a": {"b": [math.inf, -math.inf, math.nan, 1e-30, None, "text"]}}
    kept = json.loads(json.dumps(recorded(settings), allow_nan=False))
    assert kept == {"a": {"b": [".inf", "-.inf", ".nan", 1e-30, None, "text"]}}
    assert str([parsed(word) for word in kept["a"]["b"][:3]]) == "[inf, -inf, nan]"


def test_words_are_read_as_the_command_line_reads_them(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("trainer: {max_steps: 5, devices: 1}\n")
    words = [
        "--config",
        "one.yaml",
        "--trainer.max_steps=7",
        "--data.sizes=[[1,2]]",
        "--data.name",
        "it is",
        "--x=null",
    ]
    expected = {"trainer": {"max_steps": 7, "devices": 1}, "data": {"sizes": [[1, 2]], "name": "it is"}, "x": None}
    assert from_words(words, tmp_path, "me") == expected


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--config", "no.yaml"], "me: there is no config"),
        (["fast"], "me: fast is not an option with a value"),
        (["--fast"], "me: --fast is not an option with a value"),
        (["--x=[1"], r"me: --x=\[1 is not valid YAML"),
        (["--fast", "--slow=1"], "me: --fast is not an option with a value"),
    ],
)
def test_words_that_are_no_settings_are_named(words: list[str], told: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=told):
        from_words(words, tmp_path, "me")


def test_a_key_that_no_class_has_is_refused(tmp_path: Path) -> None:
    run = load("attention/reversal", ROOT / "experiments").plan("smoke", ROOT / "experiments", 1)[0]
    (tmp_path / "s.yaml").write_text(yaml.safe_dump(merged(run.settings, nested({"data.init_args.lenght": 3}))))
    with pytest.raises(ArgumentError, match="lenght"):
        Command(["--config", str(tmp_path / "s.yaml"), "--trainer.logger=false"], run=False, folder=tmp_path)
