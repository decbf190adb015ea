"""A PostgreSQL server of our own."""

import getpass
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a database on a private server, which is reached through a socket in a temporary directory."""
    binaries = _binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL server here: it comes with the package postgresql")
    folder = Path(tempfile.mkdtemp(prefix="augrnn-"))  # pytest's own are closed to other users
    user = _user()
    shutil.chown(folder, user)
    data = folder / "data"
    command = [binaries / "initdb", "-D", data, "-U", "augrnn", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
    subprocess.run(command, check=True, capture_output=True, cwd=folder, **_as(user))
    settings = [f"unix_socket_directories={folder}", "listen_addresses=", "fsync=off", "shared_buffers=16MB"]
    server = subprocess.Popen(
        [binaries / "postgres", "-D", data, *(word for setting in settings for word in ("-c", setting))],
        stderr=subprocess.DEVNULL,
        cwd=folder,
        **_as(user),
    )
    try:
        _wait(binaries, folder)
        yield f"postgresql+psycopg://augrnn@/postgres?host={folder}"
    finally:
        server.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
        server.wait(30)
        shutil.rmtree(folder)


def _binaries() -> Path | None:
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    found = installed[-1] if installed else shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def _user() -> str:
    """Who runs the server, which refuses to be run by root."""
    if os.geteuid() != 0:
        return getpass.getuser()
    return "postgres" if _exists("postgres") else "nobody"


def _exists(user: str) -> bool:
    return subprocess.run(["id", user], check=False, capture_output=True).returncode == 0


def _as(user: str) -> dict[str, str]:
    return {"user": user} if os.geteuid() == 0 else {}


def _wait(binaries: Path, folder: Path) -> None:
    for _ in range(300):
        if subprocess.run([binaries / "pg_isready", "-h", folder], check=False, capture_output=True).returncode == 0:
            return
        time.sleep(0.1)
    raise TimeoutError("the PostgreSQL server did not start")
