"""The layers of docs/architecture.md, checked: a module imports only from those below it."""

import subprocess
import sys
from pathlib import Path


def test_imports_go_one_way(root: Path) -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_commands_that_do_not_train_import_no_torch(root: Path) -> None:
    program = """
import sys
from augrnn.cli import main
assert main(["list"]) == 0
assert not {"torch", "lightning"} & set(sys.modules), "a slow import"
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_picture_of_the_house_is_up_to_date(root: Path) -> None:
    command = [sys.executable, str(root / "scripts" / "draw_architecture.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr or "run scripts/draw_architecture.py"
