"""The mode of W&B: what asks for it, and what becomes of online where no server answers."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from wandb.sdk import wandb_setup

from augrnn.errors import UserError
from augrnn.tracking import wandb_server
from augrnn.tracking.wandb_server import asked_mode, usable_mode
from tests.tiny import CONFIG, ROOT, tiny

KEY = "0" * 40


@pytest.fixture
def unset(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No key, and no mode."""
    monkeypatch.setenv("NETRC", os.devnull)
    for name in ("WANDB_MODE", "WANDB_API_KEY", "WANDB_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(wandb_setup, "_singleton", None)  # another test's process may have read other settings
    return monkeypatch


def test_mode_is_online_only_with_a_key(unset: pytest.MonkeyPatch) -> None:
    assert asked_mode() == "offline"
    unset.setenv("WANDB_API_KEY", KEY)
    assert asked_mode() == "online"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("online", "online"),
        ("run", "online"),
        ("offline", "offline"),
        ("dryrun", "offline"),
        ("disabled", "disabled"),
    ],
)
def test_the_variable_decides(given: str, expected: str, unset: pytest.MonkeyPatch) -> None:
    unset.setenv("WANDB_MODE", given)
    unset.setenv("WANDB_API_KEY", KEY)
    assert asked_mode() == expected


@pytest.mark.parametrize(
    ("given", "hint"),
    [("Offline", "did you mean offline?"), ("disable", "did you mean disabled?"), ("true", ""), ("", ""), (" ", "")],
)
def test_another_word_is_one_line(given: str, hint: str, unset: pytest.MonkeyPatch) -> None:
    unset.setenv("WANDB_MODE", given)
    with pytest.raises(UserError) as raised:
        usable_mode(Path())
    told = str(raised.value)
    assert told.startswith(f"WANDB_MODE is {given!r}: it must be online, offline or disabled, or not set")
    assert told.endswith(hint)
    assert "\n" not in told


def test_a_key_kept_for_the_server_that_is_set_up_means_online(unset: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text(f"machine wandb.example.org login user password {KEY}\n")
    unset.setenv("NETRC", str(tmp_path / "netrc"))
    unset.setenv("WANDB_BASE_URL", "https://wandb.example.org")
    assert asked_mode() == "online"
    unset.setenv("WANDB_BASE_URL", "https://another.example.org")
    assert asked_mode() == "offline"


def closed() -> str:
    """The address of a port where nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def said(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A program in a folder where W&B is set up in no other way."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WANDB_")}
    places = dict.fromkeys(("WANDB_CONFIG_DIR", "WANDB_CACHE_DIR", "WANDB_DATA_DIR"), str(folder / "home"))
    environment = {**kept, **places, "NETRC": os.devnull, "NO_PROXY": "127.0.0.1", **environment}
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=200, check=False
    )


ASK = "from augrnn.tracking.wandb_server import asked_mode; print(asked_mode())"


@pytest.mark.parametrize(
    ("command", "expected"), [("offline", "offline"), ("disabled", "disabled"), ("online", "online")]
)
def test_what_the_command_wandb_has_set_counts(command: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "wandb").mkdir()
    assert said(tmp_path, "-m", "wandb", command).returncode == 0
    assert said(tmp_path, "-c", ASK, WANDB_API_KEY=KEY).stdout.split()[-1] == expected
    assert said(tmp_path, "-c", ASK, WANDB_API_KEY=KEY, WANDB_MODE="dryrun").stdout.split()[-1] == "offline"


@pytest.mark.parametrize("name", ["WANDB_BASE_URL", "WANDB_PROJECT"])
def test_other_settings_that_wandb_does_not_take_are_one_line(name: str, tmp_path: Path) -> None:
    code = "from pathlib import Path\nfrom augrnn.errors import UserError\n"
    code += "from augrnn.tracking.wandb_server import usable_mode\n"
    code += "try: usable_mode(Path())\nexcept UserError as error: print('one:', error)"
    for mode in ({}, {"WANDB_MODE": "offline"}):
        done = said(tmp_path, "-c", code, WANDB_API_KEY=KEY, **{name: "a/b:c"}, **mode)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("one: W&B's settings")
        assert done.stdout.count("\n") == 1


def test_without_a_server_a_sweep_goes_on_offline_and_says_so_once(tmp_path: Path) -> None:
    words = [*tiny(2), "--trainer.max_steps=2"]
    content = {
        "method": "grid",
        "metric": {"name": "val/cost_bits"},
        "parameters": {"model.init_args.optimizer.init_args.lr": {"values": [0.1, 0.01]}},
        "command": ["augrnn", "fit", *CONFIG, *words, "${args}"],
    }
    (tmp_path / "s.yaml").write_text(yaml.safe_dump(content))
    address = closed()
    server = {"WANDB_API_KEY": KEY, "WANDB_BASE_URL": address}
    done = said(tmp_path, "-m", "augrnn.cli", "sweep", "run", "s.yaml", PYTHONPATH=str(ROOT / "src"), **server)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (done.stdout + done.stderr).count(f"no W&B server answers at {address}") == 1
    assert f"send it later with `augrnn sync {tmp_path / 'runs'}`" in done.stdout
    assert "2 finished" in done.stdout
    assert len(list(tmp_path.glob("runs/sweeps/s/points/*/seed-0/wandb/offline-run-*"))) == 2


def test_without_a_server_fit_goes_on_offline(tmp_path: Path) -> None:
    words = ["fit", *CONFIG, *tiny(2), "--trainer.max_steps=2", f"--trainer.default_root_dir={tmp_path / 'run'}"]
    server = {"WANDB_API_KEY": KEY, "WANDB_BASE_URL": closed(), "WANDB_MODE": "online"}
    done = said(tmp_path, "-m", "augrnn.cli", *words, **server)
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("augrnn: ")]
    assert "Training goes on offline" in line
    assert len(list(tmp_path.glob("run/wandb/offline-run-*"))) == 1


def test_a_mistake_in_the_mode_stops_a_sweep_before_it_starts(
    unset: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from augrnn.cli import main

    unset.setenv("WANDB_MODE", "on")
    unset.setattr("augrnn.sweeps.rehearsal.rehearsed", lambda command: (0, ""))
    assert main(["sweep", "run", str(ROOT / "configs/sweeps/copy-ntm.yaml"), "--runs", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("augrnn: error: WANDB_MODE is 'on'")
    assert not list(tmp_path.glob("sweeps/*/points/*"))


def test_a_key_that_is_refused_is_no_reason_to_go_offline(unset: pytest.MonkeyPatch) -> None:
    def refused() -> str:
        raise UserError("the server refuses the API key")

    unset.setenv("WANDB_API_KEY", KEY)
    unset.setattr(wandb_server, "signed_in", refused)
    with pytest.raises(UserError, match="refuses"):
        usable_mode(Path())
