"""The page on one's own data, pasted; and the command that shows a corpus."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

import augrnn
from augrnn.cli import main

PAGE = "docs/own-data.md"


@pytest.fixture
def pasted(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that a reader has who pastes the page's example up to its training."""
    blocks = re.findall(r"<<'EOF'\n(.*?)\n    EOF", (root / PAGE).read_text(), re.DOTALL)
    script, config = (re.sub(r"^    ", "", block, flags=re.MULTILINE) for block in blocks)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUGRNN_CACHE", str(tmp_path / "cache"))
    exec(compile(script, PAGE, "exec"), {})
    (tmp_path / "greek.yaml").write_text(config)
    return tmp_path


def test_the_pages_example_works(pasted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "greek.yaml"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "train: 229 pairs"
    assert lines[3] == "val: 30 pairs"
    assert lines[6] == "test splits, not read here: test"
    assert lines[7] == "vocabulary: 120 subwords, one for both languages; the model of this config has 120: fits"
    assert "tok:none" in lines[8]
    assert re.sub("▁", " ", lines[10].partition(": ")[2].replace(" ", "")).strip().startswith("ένα κόκκινο σπίτι")
    (pasted / "few.yaml").write_text(
        "trainer: {max_steps: 2, accelerator: cpu, log_every_n_steps: 1, enable_progress_bar: false, logger: false}"
    )
    assert main(["fit", "--config", "greek.yaml", "--config", "few.yaml", "--trainer.enable_model_summary=false"]) == 0
    (pasted / "pairs.tsv").unlink()
    model = augrnn.load("runs/greek")
    assert len(model.predict(["A blue dog waits by the river.", ""])) == 2
    assert model.task.codec.state_dict()["normalisation"] == {"rules": 1, "lowercase": True}
    assert yaml.safe_load((pasted / "runs/greek/config.yaml").read_text())["data"]["init_args"]["held_out"] == {
        "val": 30,
        "test": 0.1,
    }


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda text: text.replace("pairs.tsv", "pears.tsv"), "cannot read pears.tsv: No such file"),
        (lambda text: text.replace("target: el", "target: de"), "pairs.tsv has no column 'de' in its first line"),
        (lambda text: text.replace("&size 120", "&size 5000"), "vocabulary of 5000 subwords is impossible"),
        (lambda text: text.replace("held_out:", "hold_out:"), "hold_out"),
        (lambda text: text.replace("{val: 30, test: 0.1}", "{val: 300}"), "held_out wants more than the 288 pairs"),
        (lambda text: text.replace("{train: pairs.tsv}", "{training: pairs.tsv}"), "files name no split 'train'"),
        (lambda text: text.replace("translation.Translation", "copy.Copy"), "greek.yaml"),
        (lambda text: text.replace("data:", "date:"), "greek.yaml has no part `data`"),
        (lambda text: text.replace("init_args:", "init_args: ]"), "greek.yaml is not valid YAML"),
        (lambda text: "- 1", "greek.yaml has no settings"),
    ],
)
def test_what_is_wrong_is_one_line(
    pasted: Path, change: Callable[[str], str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config = pasted / "greek.yaml"
    config.write_text(change(config.read_text()))
    assert main(["data", "greek.yaml"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("augrnn: error: ")
    assert why in line


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("", "the model's must be as large"),
        ("model: Mine", "the model's must be as large"),
        (
            "model: {init_args: {encoder: {init_args: {vocabulary: 120}}, decoder: {init_args: {vocabulary: 90}}}}",
            "the model of this config has 120 (encoder) and 90 (decoder): too small",
        ),
        (
            "model: {encoder: {vocabulary: 2000}, decoder: {vocabulary: 2000}}",
            "the model of this config has 2,000: too large",
        ),
    ],
)
def test_the_models_vocabulary_is_compared(
    pasted: Path, model: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config = pasted / "greek.yaml"
    data = config.read_text().partition("model:")[0]
    config.write_text(f"{data}{model}\n")
    assert main(["data", "greek.yaml"]) == 0
    assert capsys.readouterr().out.splitlines()[7].endswith(f"one for both languages; {told}")


def test_another_task_has_no_corpus(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", str(root / "configs/copy/lstm.yaml")]) == 2
    assert "is of Copy, which reads no corpus" in capsys.readouterr().err
    assert main(["data", "nothing.yaml"]) == 2
    assert "there is no config nothing.yaml" in capsys.readouterr().err
