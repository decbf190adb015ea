"""The command line as its users meet it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from augrnn.cli import main


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main(["--help"])
    assert done.value.code == 0
    text = capsys.readouterr().out
    ours = ("list", "reproduce", "check", "tables", "report", "sweep", "dashboard", "bench", "translate")
    for command in (*ours, "fit", "validate", "test", "predict"):
        assert command in text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["reproduce", "ntm/coppy"], "did you mean ntm/copy"),
        (["reproduce", "ntm/copy", "--scale", "huge"], "huge"),
        (["reproduce", "ntm/copy", "--variants", "gru"], "gru"),
        (["reproduce", "ntm/copy", "--seeds", "0"], "from 1 to 1,000"),
        ([], "arguments are required: COMMAND (`augrnn --help`"),
        (["lits"], "'lits'"),
        (["list", "--all"], "unrecognized arguments: --all"),
        (["sweep"], "arguments are required: COMMAND (`augrnn sweep --help`"),
        (["sweep", "plan"], "arguments are required: FILE (`augrnn sweep plan --help`"),
        (["figures", "--format", "jpg"], "'jpg'"),
        (["bench", "--seconds", "long"], "'long'"),
        (["reproduce", "ntm/copy", "--launcher", "pbs"], "'pbs'"),
        (["translate", "text.en"], "arguments are required: --run"),
        (["translate", "--run", "x", "--memory", "much"], "'much'"),
    ],
)
def test_a_mistake_is_one_line_and_status_two(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("augrnn: error: ")
    assert told in line


def test_check_json_is_one_list_with_the_promised_keys(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "augrnn.cli", "check", "--json"], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    evidence = {"value", "interval", "seeds", "thin", "thin_because"}
    keys = {"experiment", "claim", "scale", "verdict", "paper", "public"} | evidence
    assert all(set(row) == keys for row in rows)
    assert all(row["thin"] == bool(row["thin_because"]) for row in rows)
    folders = [path.parent for path in (root / "experiments").glob("*/*/experiment.py")]
    assert {f"{folder.parent.name}/{folder.name}" for folder in folders} == {row["experiment"] for row in rows}


def python(*words: str, cwd: Path, **environment: str) -> "subprocess.CompletedProcess[bytes]":
    """A command of ours in a process of its own, its output through a pipe."""
    command = [sys.executable, "-m", "augrnn.cli", *words]
    return subprocess.run(command, cwd=cwd, env=os.environ | environment, capture_output=True, check=False)


@pytest.mark.parametrize("name", ["mine", "package.mine", "json_of_mine"])
def test_a_config_may_name_a_module_of_the_working_directory(name: str, tmp_path: Path) -> None:
    module = tmp_path / (name.replace(".", "/") + ".py")
    module.parent.mkdir(exist_ok=True)
    module.write_text("from augrnn.cells import LSTM\n\n\nclass Mine(LSTM):\n    pass\n")
    cell = f"{{class_path: {name}.Mine, init_args: {{input_size: 9, hidden_size: 4, output_size: 8}}}}"
    (tmp_path / "mine.yaml").write_text(
        f"model: {{class_path: augrnn.systems.Transducer, init_args: {{cell: {cell}}}}}\n"
        "data: {class_path: augrnn.tasks.Copy}\n"
    )
    installed = "import sys; from augrnn.cli import main; sys.path.remove(''); sys.exit(main())"  # as the script starts
    words = [sys.executable, "-c", installed, "fit", "--config", "mine.yaml", "--print_config"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"{name}.Mine" in done.stdout


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-16"])
def test_the_output_is_utf8_whatever_the_locale_says(encoding: str, root: Path) -> None:
    plain = python("list", cwd=root, PYTHONIOENCODING="utf-8")
    other = python("list", cwd=root, PYTHONIOENCODING=encoding)
    assert (other.returncode, other.stdout) == (0, plain.stdout)
    other.stdout.decode("utf-8")


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", [["list"], ["check", "--json"], ["sweep", "plan", "configs/sweeps/copy-ntm.yaml"]])
def test_output_that_cannot_be_written_is_one_line(words: list[str], unbuffered: str, root: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "augrnn.cli", *words],
            cwd=root,
            env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("augrnn: error: cannot write the standard output: the disk is full")


@pytest.mark.parametrize("page", ["docs/training.md", "src/augrnn/training/short_help.py"])
def test_the_help_of_a_part_of_a_model_is_reached_as_it_is_told(
    page: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = re.findall(r"--model \w+ --model\.\w+\.help \w+", (root / page).read_text(encoding="utf-8"))
    assert told
    for words in told:
        with pytest.raises(SystemExit) as ended:
            main(["fit", *words.split()])
        assert ended.value.code == 0
        assert words.split()[-1] in capsys.readouterr().out


def test_help_that_cannot_be_written_is_one_line(root: Path) -> None:
    command = f"{sys.executable} -m augrnn.cli --help > /dev/full"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(command, shell=True, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_a_closed_output_is_no_traceback(root: Path) -> None:
    command = f"{sys.executable} -m augrnn.cli list >&-"
    done = subprocess.run(command, shell=True, cwd=root, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr


def test_an_error_of_another_file_is_not_taken_for_the_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> int:
        raise FileNotFoundError(2, "No such file or directory", "some/file")

    monkeypatch.setattr("augrnn.cli._run", broken)
    with pytest.raises(FileNotFoundError):
        main(["list"])
