"""Whatever a library refuses is one line with status 2; what our own code gets wrong stays a traceback."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

from augrnn.cli import main
from augrnn.errors import UserError
from augrnn.tasks.copy import Copy
from augrnn.tasks.reversal import Reversal
from augrnn.training.command import require_amounts, require_cores
from augrnn.training.refusals import TRACEBACK, one_clear_line
from tests.tiny import CONFIG, tiny

TINY = [*CONFIG, *tiny(3), "--trainer.enable_progress_bar=false", "--trainer.enable_model_summary=false"]
CELL, RATE = "--model.init_args.cell.init_args.", "--model.init_args.optimizer.init_args.lr="
CALLBACKS = "lightning.pytorch.callbacks."


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(words) == 2
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("augrnn: error: ")
    assert len(last) < 500
    return last


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--trainer.max_epochs=abc"], "trainer.max_epochs cannot be abc: it takes int or null"),
        (["--trainer.precision=7"], "trainer.precision cannot be 7: it takes 64, 32, 16 or"),
        ([f"{CELL}hiden_size=3"], "GravesLSTM has no option hiden_size; did you mean hidden_size?"),
        ([f"{CELL}layer=3"], "did you mean layers?"),
        (["--data.init_args.batchsize=3"], "Copy has no option batchsize; did you mean batch_size?"),
        (["--trainer.max_stepz=3"], "there is no option trainer.max_stepz; did you mean trainer.max_steps?"),
        (["--ckpt_pth=3"], "there is no option ckpt_pth; did you mean ckpt_path?"),
        (["--data.init_args.batch_size=x"], "data.batch_size cannot be x: it takes int"),
        ([RATE + "abc"], "lr cannot be abc: it takes float"),
        (["--model.init_args.cell=augrnn.cells.lstmm.LSTM"], "augrnn.cells.lstmm.LSTM: module 'augrnn.cells' has no"),
        (["--data=Copyy"], "data cannot be Copyy: it takes a class, by its whole path"),
        (["--seed_everything=-1"], "-1 is not in bounds"),
        (["--seed_everything=1e20"], "seed_everything cannot be 1e"),
        (["--trainer.max_steps=-5"], "`max_steps` must be a non-negative integer or -1"),
        (["--trainer.devices=0"], "value is not a valid input"),
        (["--trainer.devices=-1"], "should be an int > 0"),
        (["--trainer.devices=abc"], "should be an int > 0"),
        (["--trainer.accumulate_grad_batches=0"], "trainer.accumulate_grad_batches must be above 0, not 0"),
        (["--trainer.check_val_every_n_epoch=-1"], "trainer.check_val_every_n_epoch must be above 0, not -1"),
        (["--trainer.val_check_interval=0"], "trainer.val_check_interval must be above 0, not 0"),
        (["--trainer.gradient_clip_val=-0.5"], "trainer.gradient_clip_val must be at least 0, not -0.5"),
        (["--trainer.log_every_n_steps=-1"], "trainer.log_every_n_steps must be at least 0, not -1"),
        (["--trainer.num_nodes=2"], "trainer.num_nodes 2 waits for processes on other nodes"),
        (["--trainer.devices=99"], "trainer.devices 99 asks for 99 processes, but there are"),
        (["--trainer.gradient_clip_algorithm=normal"], "gradient_clip_algorithm"),
        (["--trainer.val_check_interval=100"], "must be less than or equal to the number of the training batches"),
        ([RATE + "-1"], "Invalid learning rate: -1.0"),
        ([RATE + ".nan"], "Invalid learning rate: nan"),
        ([RATE + "1e30"], "the training loss is"),
        ([RATE + ".inf"], "the training loss is"),
        ([f"{CELL}hidden_size=0"], "an LSTM needs hidden_size of at least 1, not 0"),
        (["--data.init_args.batch_size=0"], "Copy needs batch_size of at least 1, not 0"),
        (["--data.init_args.batch_size=-5"], "Copy needs batch_size of at least 1, not -5"),
        (["--data.init_args.validation_sequences=0"], "Copy needs validation_sequences of at least 1"),
        (["--ckpt_path=last"], "--ckpt_path last needs the run's folder"),
        (["--ckpt_path=last", "--trainer.default_root_dir=empty"], "empty has no checkpoints/last.ckpt"),
    ],
)
def test_a_mistake_in_a_fit_is_one_line(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert told in refused(["fit", *TINY, "--trainer.max_steps=6", *words], capsys)


@pytest.mark.parametrize("command", ["fit", "validate", "test"])
def test_a_command_without_a_config_is_one_line(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "there is no data and no model: name a config with --config FILE" in refused([command], capsys)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_no_gpu_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert "No supported gpu backend found" in refused(["fit", *TINY, "--trainer.accelerator=gpu"], capsys)


@pytest.mark.parametrize(
    ("callback", "arguments", "told"),
    [
        ("EarlyStopping", {"monitor": "val/bleu"}, "val/bleu"),
        ("ModelCheckpoint", {"monitor": "val/bleu"}, "val/bleu"),
        ("LearningRateMonitor", {}, "LearningRateMonitor"),
        ("EarlyStopping", {"monitor": "val/cost_bits", "mode": "low"}, "mode"),
    ],
)
def test_a_mistake_in_a_callback_is_one_line(
    callback: str, arguments: dict[str, str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    content = {"callbacks": [{"class_path": CALLBACKS + callback, "init_args": arguments}], "logger": False}
    Path("c.yaml").write_text(yaml.safe_dump({"trainer": content}))
    assert told in refused(["fit", *TINY, "--trainer.max_steps=6", "--config=c.yaml"], capsys)


def test_a_schedule_past_its_end_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    content = {"class_path": "torch.optim.lr_scheduler.OneCycleLR", "init_args": {"max_lr": 0.1, "total_steps": 4}}
    Path("c.yaml").write_text(yaml.safe_dump({"model": {"init_args": {"scheduler": content}}}))
    told = refused(["fit", *TINY, "--trainer.max_steps=9", "--config=c.yaml"], capsys)
    assert "The specified number of total steps is 4" in told


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\xff\xfe\x00\x01", "the config c.yaml is not valid YAML"),
        (b"", "the config c.yaml has no settings"),
        (b"- a\n- b\n", "the config c.yaml has no settings"),
        (b"a: [1\n", "the config c.yaml is not valid YAML"),
        (b"trainer: {max_stepz: 3}\n", "max_stepz"),
        (b"trainer: null\n", "trainer has no options"),
        (b"trainer: [1]\n", "trainer has no options"),
    ],
)
@pytest.mark.parametrize("option", [["--config=c.yaml"], ["--config", "c.yaml"]])
def test_a_config_that_is_none_is_named(
    option: list[str], content: bytes, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("c.yaml").write_bytes(content)
    others = [word for word in TINY if not word.startswith("--trainer.")]  # after null they would begin anew
    assert told in refused(["fit", *others, *option], capsys)


@pytest.mark.parametrize("words", [["--config", "nope.yaml"], ["--config=nope.yaml"], ["-c", "nope.yaml"]])
@pytest.mark.parametrize("command", ["fit", "validate", "test"])
def test_a_config_that_is_missing_is_named(command: str, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert refused([command, *words], capsys) == "augrnn: error: there is no config nope.yaml"


def test_a_folder_is_no_config(capsys: pytest.CaptureFixture[str]) -> None:
    assert "cannot read the config .: Is a directory" in refused(["fit", "--config", "."], capsys)


def test_a_config_of_numbers_and_brackets_without_end_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    for content in ("a: " + "9" * 5000, "[" * 3000):
        Path("c.yaml").write_text(content)
        assert "the config c.yaml is not valid YAML" in refused(["fit", "--config", "c.yaml"], capsys)


def test_settings_may_stand_in_place_of_a_config(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["fit", *TINY, "--config", "trainer: {max_steps: 7}", "--print_config"]
    with pytest.raises(SystemExit):
        main(words)
    assert "max_steps: 7" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ["--seed_everything=-1"],
        ["--trainer.max_steps=-5"],
        ["--trainer.devices=99"],
        [f"{CELL}hidden_size=0"],
        ["--data.init_args.batch_size=0"],
        [RATE + "-1"],  # found when the training begins
        [f"{CELL}output_size=3"],
    ],
)
@pytest.mark.parametrize("root", [None, "mine/own"])
def test_a_refused_fit_leaves_nothing(root: str | None, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    named = [] if root is None else [f"--trainer.default_root_dir={root}"]
    refused(["fit", *TINY, "--trainer.max_steps=6", *named, *words], capsys)
    assert not list(Path().iterdir())


def test_a_refused_fit_takes_away_only_what_it_made(capsys: pytest.CaptureFixture[str]) -> None:
    Path("runs/adhoc/another").mkdir(parents=True)
    Path("mine").mkdir()
    for named in ([], ["--trainer.default_root_dir=mine"]):
        refused(["fit", *TINY, "--trainer.max_steps=-5", *named], capsys)
    assert [str(path) for path in sorted(Path().rglob("*"))] == ["mine", "runs", "runs/adhoc", "runs/adhoc/another"]


def test_a_timer_trains() -> None:
    timer = {"class_path": CALLBACKS + "Timer", "init_args": {"duration": "00:00:10:00"}}
    Path("c.yaml").write_text(yaml.safe_dump({"trainer": {"callbacks": [timer]}}))
    assert main(["fit", *TINY, "--trainer.max_steps=3", "--config=c.yaml", "--trainer.default_root_dir=mine"]) == 0
    assert yaml.safe_load(Path("mine/config.yaml").read_text())["trainer"]["callbacks"][0]["init_args"]["interval"]
    assert main(["fit", "--config=mine/config.yaml", "--trainer.default_root_dir=other"]) == 0


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB."),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: ..."),
    ],
)
def test_too_little_memory_is_one_line(error: Exception) -> None:
    with pytest.raises(UserError, match="there is not enough memory: take smaller batches"), one_clear_line():
        raise error


def test_our_own_faults_stay_tracebacks() -> None:
    for fault in (KeyError("x"), TypeError("x"), ValueError("x"), RuntimeError("x"), ZeroDivisionError()):
        with pytest.raises(type(fault)), one_clear_line():
            raise fault
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"), one_clear_line():
        torch.nn.Linear(2, 3)(torch.ones(5))


def test_a_variable_shows_where_a_library_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TRACEBACK, "1")
    with pytest.raises(UserError, match=f"Invalid learning rate: -1 .*{TRACEBACK}"), one_clear_line():
        torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=-1)
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("devices", [10_000, "10000"])
def test_more_processes_than_cores_are_refused(devices: int | str) -> None:
    with pytest.raises(UserError, match=r"there are \d+ cores"):
        require_cores("cpu", devices)
    for allowed in (1, "1", "auto", -1, [0]):
        require_cores("cpu", allowed)
    require_cores("gpu", devices)


def test_amounts_that_train_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    off = {"gradient_clip_val": 0, "log_every_n_steps": 0, "check_val_every_n_epoch": None, "num_nodes": 1}
    require_amounts({**off, "accumulate_grad_batches": 1, "val_check_interval": "00:00:10:00"})
    monkeypatch.setenv("SLURM_STEP_ID", "0")
    require_amounts({"num_nodes": 2})


@pytest.mark.parametrize("name", ["batch_size", "epoch_batches", "validation_sequences", "test_sequences"])
@pytest.mark.parametrize("value", [0, -5])
def test_sizes_below_one_are_refused(name: str, value: int) -> None:
    for task in (Copy, Reversal):
        with pytest.raises(UserError, match=f"needs {name} of at least 1, not {value}"):
            task(**{name: value})


def test_help_is_short_and_imports_nothing_slow(root: Path) -> None:
    program = "import sys; from augrnn.cli import main; main(['fit', '--help']); print('lightning' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    lines = done.stdout.strip().splitlines()
    assert lines[-1] == "False"
    assert len(lines) < 40
    for word in ("--help-all", "--data.help CLASS", "--model.help CLASS", "--ckpt_path", "--trainer.max_steps"):
        assert word in done.stdout


def test_all_help_is_lightnings(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["validate", "--help-all"])
    assert left.value.code == 0
    assert "--trainer.accumulate_grad_batches" in capsys.readouterr().out
