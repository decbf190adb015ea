"""The page on captions of one's own images, pasted; and the command that shows such a corpus."""

import re
from pathlib import Path

import pytest

import augrnn
from augrnn.cli import main

PAGE = "docs/captions.md"


@pytest.fixture
def pasted(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that a reader has who pastes the page's example up to its training."""
    blocks = re.findall(r"<<'EOF'\n(.*?)\n    EOF", (root / PAGE).read_text(), re.DOTALL)
    script, config = (re.sub(r"^    ", "", block, flags=re.MULTILINE) for block in blocks)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUGRNN_CACHE", str(tmp_path / "cache"))
    exec(compile(script, PAGE, "exec"), {})
    (tmp_path / "pictures.yaml").write_text(config)
    return tmp_path


def test_the_pages_example_works(pasted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "pictures.yaml"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("train: 160 images, 320 captions, ")
    assert "0.00% of them unknown" in lines[0]
    assert lines[1].startswith("val: 20 images, 40 captions, ")
    assert lines[2] == "test splits, not read here: test"
    assert "have 13 words, 13 of them at least 5 times; the model of this config has 17: fits" in lines[3]
    assert lines[4].startswith("val, people, each by the other captions: BLEU-4 ")
    assert lines[5].startswith("val, 'on the ")
    assert lines[6].startswith("text: nrefs:2|case:lower|punctuation:kept|tok:moses-en|")
    assert lines[7] == "the encoder is given 7 x 7 places of 128 channels"
    (pasted / "few.yaml").write_text(
        "trainer: {max_steps: 2, accelerator: cpu, log_every_n_steps: 1, enable_progress_bar: false, logger: false}"
    )
    words = ["fit", "--config", "pictures.yaml", "--config", "few.yaml", "--trainer.enable_model_summary=false"]
    assert main(words) == 0
    assert "augrnn caption --run runs/pictures IMAGE" in capsys.readouterr().out
    (pasted / "pictures" / "captions.csv").unlink()
    images = ["pictures/3.png", "pictures/8.png"]
    assert main(["caption", *images, "--run", "runs/pictures", "--best", "3", "--out", "shown"]) == 0
    assert (pasted / "shown" / "captions.html").is_file()
    captions = augrnn.load("runs/pictures").caption("pictures/3.png", best=3, beam=5)
    assert captions[0].maps_MRC.shape[1:] == (7, 7)


def test_a_vocabulary_that_is_impossible_is_told(pasted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = pasted / "pictures.yaml"
    config.write_text(config.read_text().replace("&size 17", "&size 40"))
    assert main(["data", "pictures.yaml"]) == 2
    assert "all its words give no more than 17" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("weights: null", "weights: gone.pth", "pictures.yaml: there is no file gone.pth, neither here nor in "),
        ("batch_size: 32", "batch_size: 0", "pictures.yaml: captioning needs batch_size of at least 1, not 0"),
        (
            "batch_size: 32",
            "batchsize: 32",
            "pictures.yaml: augrnn.tasks.captioning.Captioning has no option batchsize",
        ),
        ("val: 20, test: 0.1", "val: many", "pictures.yaml: data.held_out cannot be many: it takes int or float"),
    ],
)
def test_a_bad_config_is_one_line(
    old: str, new: str, message: str, pasted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = pasted / "pictures.yaml"
    config.write_text(config.read_text().replace(old, new))
    assert main(["data", "pictures.yaml"]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
