"""Which version of the code runs."""

import contextlib
import subprocess
from pathlib import Path


def commit(folder: Path = Path(__file__).parent) -> str | None:
    """The first 12 letters of the git commit of the code in a folder, and "+" where files differ from it.

    None outside a repository.
    """
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        name = _git(folder, "rev-parse", "HEAD")
        return name[:12] + ("+" if _git(folder, "status", "--porcelain", "--untracked-files=no") else "")
    return None


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
