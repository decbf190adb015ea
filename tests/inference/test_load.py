"""A trained model stands alone: its folder or checkpoint, on a machine without its data."""

import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import augrnn
import augrnn.errors
from augrnn.batches import moved
from augrnn.checkpoints import CONFIG_KEY
from augrnn.cli import main
from augrnn.run_folder import LAST
from tests.tiny import CONFIG, ROOT, tiny, train

TAGS = {"experiment": "e", "variant": "v", "scale": "smoke", "seed": 0}
SMALL = ("encoder.init_args.hidden_size", "decoder.init_args.hidden_size", "decoder.init_args.start_size")
ATTENTION = "--model.init_args.decoder.init_args.attention.init_args"


@pytest.fixture(scope="module")
def copier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copy") / "seed-0"
    train([*CONFIG, *tiny(3), "--trainer.max_steps=3"], folder, TAGS)
    return folder


def test_a_system_without_its_task_is_refused(copier: Path) -> None:
    model = augrnn.load(copier)
    for parts in ({"system": model.system}, {"task": model.task}):
        with pytest.raises(augrnn.errors.UserError, match="needs both the system and the task"):
            augrnn.load(copier, **parts)


def test_bits_go_in_and_out_as_json(copier: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    model = augrnn.load(copier)
    assert not model.system.training
    batches = [model.task.sample(1, (length,), 7) for length in (2, 3)]
    lines = [json.dumps(batch.inputs_TBI[:, 0].tolist()) for batch in batches]
    expected = []
    for batch in batches:
        with torch.inference_mode():
            expected.append((model.system(moved(batch, model.system.device)).y_TBO[:, 0] > 0).long().tolist())
    found = model.predict([lines[0], "", lines[1]])
    assert found[1] == ""
    assert [json.loads(found[0]), json.loads(found[2])] == expected
    (tmp_path / "text").write_text("\n".join(lines) + "\n")
    assert main(["predict", str(copier / LAST), str(tmp_path / "text")]) == 0
    assert capsys.readouterr().out.splitlines() == [found[0], found[2]]


def test_a_module_that_is_gone_is_named(copier: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = torch.load(copier / LAST, weights_only=True)
    for known, named, told in (
        (
            "augrnn.cells.lstm.GravesLSTM",
            "my_cells.fading.Fading",
            "needs the module my_cells, which cannot be imported",
        ),
        ("augrnn.cells.lstm.GravesLSTM", "augrnn.cells.gone.Gone", "fits another version of augrnn"),
    ):
        text = content[CONFIG_KEY].replace(known, named)
        assert text != content[CONFIG_KEY]
        torch.save({**content, CONFIG_KEY: text}, tmp_path / "other.ckpt")
        assert main(["predict", str(tmp_path / "other.ckpt"), os.devnull]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"augrnn: error: the config in {tmp_path / 'other.ckpt'} {told}")


@pytest.mark.parametrize("line", ["[[1, 0]]", "[1, 2, 3]", "{}", "nothing", "[[1], [1, 2]]", "[]", "[[null]]"])
def test_a_line_that_is_no_sequence_is_named(copier: Path, line: str) -> None:
    with pytest.raises(augrnn.errors.UserError, match="line 2 is not a JSON list of steps, each a list of 9 numbers"):
        augrnn.load(copier).predict(["", line])


def test_symbols_are_whole_numbers(tmp_path: Path) -> None:
    words = ["--config", str(ROOT / "configs/reversal/rnnsearch.yaml"), "--trainer.accelerator=cpu"]
    words += [f"--model.init_args.{name}=8" for name in SMALL]
    words += [f"{ATTENTION}.query_size=8", f"{ATTENTION}.annotation_size=16", f"{ATTENTION}.size=8"]
    train(
        [*words, "--trainer.max_steps=2", "--trainer.log_every_n_steps=1", "--trainer.limit_val_batches=0"],
        tmp_path,
        TAGS,
    )
    model = augrnn.load(str(tmp_path))
    found = model.predict(["3 1 4", " ", "0"])
    assert found[1] == ""
    assert all(-4 <= int(word) < 20 for line in found for word in line.split())
    with pytest.raises(augrnn.errors.UserError, match="line 1 is not of whole numbers below 20: 3 20"):
        model.predict(["3 20"])


@pytest.mark.parametrize("way", ["folder", "checkpoint"])
def test_a_translator_works_where_its_data_is_not(tmp_path: Path, way: str) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    lines = {
        "en": [f"A {word} dog." for word in ("red", "big", "old")],
        "fr": ["Un chien rouge.", "Un gros chien.", "."],
    }
    for split in ("train", "val", "test_2016_flickr"):
        for language, text in lines.items():
            (corpus / f"{split}.{language}.gz").write_bytes(gzip.compress("\n".join(text).encode()))
    config = ["--config", str(ROOT / "configs/translation/rnnsearch.yaml"), "--trainer.accelerator=cpu"]
    config += [f"--model.init_args.{name}=8" for name in SMALL]
    config += [f"{ATTENTION}.query_size=8", f"{ATTENTION}.annotation_size=16", f"{ATTENTION}.size=8"]
    config += [f"--model.init_args.{side}.init_args.vocabulary=30" for side in ("encoder", "decoder")]
    data = {"vocabulary": 30, "batch_size": 2, "directory": corpus, "cache": tmp_path / "cache"}
    config += [f"--data.init_args.{name}={value}" for name, value in data.items()]
    config += ["--trainer.max_steps=2", "--trainer.limit_val_batches=0", "--trainer.log_every_n_steps=1"]
    train(config, tmp_path / "run", TAGS)
    here = augrnn.load(tmp_path / "run").predict(["A red dog."])

    away = tmp_path / "away"
    away.mkdir()
    moved_to = shutil.copytree(tmp_path / "run", away / "run") if way == "folder" else away / "alone.ckpt"
    if way == "checkpoint":
        shutil.copy(tmp_path / "run" / LAST, moved_to)
    for gone in ("corpus", "cache", "run"):
        shutil.rmtree(tmp_path / gone)
    environment: dict[str, Any] = {name: value for name, value in os.environ.items() if name != "AUGRNN_DATA"}
    environment |= {"AUGRNN_CACHE": str(away / "nothing"), "HF_HUB_OFFLINE": "1", "HF_HOME": str(away / "hub")}
    command = [sys.executable, "-m", "augrnn.cli", "translate", "--run", str(moved_to)]
    done = subprocess.run(
        command, cwd=away, env=environment, input="A red dog.\n", capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.splitlines()) == (0, here), done.stderr
    assert not (away / "nothing").exists()
