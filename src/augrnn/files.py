"""Files that are whole or not there at all, and folders that one process has at a time."""

import contextlib
import errno
import fcntl
import json
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from augrnn.errors import UserError

LOOKED = 1.0
"""Seconds in which whoever only looks whether a folder is held has surely looked."""

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
"""The operating system's errors for a full disk."""


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a temporary file that takes the place of `path` once all of it is on the disk.

    Raises:
      UserError: the disk is full or the folder cannot be written; `path` is then as it was.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise UserError(f"cannot write {path}: {explained(error)}") from error
        raise


def explained(error: OSError) -> str:
    """What an operating system's error means for the user."""
    if error.errno in DISK_FULL:
        return "the disk is full; free some space and run the same command again"
    return error.strerror or str(error)


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file, whole or not at all; numbers that JSON lacks (nan, inf) become null."""
    with replacing(path) as file:
        file.write(encoded(content).encode())


def encoded(content: Any, lines: str = "") -> str:
    """JSON text; of the list of that name, where one is named, each item has one line, which keeps diffs readable."""
    if not lines:
        return json.dumps(jsonable(content), indent=1, allow_nan=False) + "\n"
    empty = f'"{lines}": []'
    text = json.dumps({**jsonable(content), lines: []}, indent=1, allow_nan=False)
    items = ",\n  ".join(json.dumps(jsonable(item), allow_nan=False) for item in content[lines])
    return text.replace(empty, f'"{lines}": [\n  {items}\n ]' if items else empty) + "\n"


def read_json(path: Path, *keys: str) -> dict[str, Any]:
    """The content of a JSON file that this module wrote.

    Args:
      path: the file.
      keys: what it must have.

    Raises:
      UserError: it is damaged.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # no JSON, or no UTF-8
        raise _damaged(path, str(error)) from error
    if not isinstance(content, dict):
        raise _damaged(path, "not a JSON object")
    if missing := [key for key in keys if key not in content]:
        raise _damaged(path, f"no {', '.join(missing)}")
    return content


def _damaged(path: Path, reason: str) -> UserError:
    return UserError(f"{path} is damaged ({reason}); delete it, or restore it with git")


def jsonable(content: Any) -> Any:
    """Plain JSON values: numbers of numpy and torch become Python's, arrays lists, nan and infinity None."""
    return plain(content, lambda number: None)


def plain(content: Any, beyond: Callable[[float], Any] = float) -> Any:
    """Python's own values: numbers of numpy and torch become Python's, arrays lists.

    Args:
      content: values, lists and mappings of them.
      beyond: what becomes of nan and infinity; they stay what they are unless it is given.
    """
    if isinstance(content, Mapping):
        return {str(key): plain(value, beyond) for key, value in content.items()}
    if hasattr(content, "tolist"):
        return plain(content.tolist(), beyond)
    if isinstance(content, list | tuple):
        return [plain(value, beyond) for value in content]
    if isinstance(content, float):
        return content if math.isfinite(content) else beyond(content)
    if content is None or isinstance(content, bool | int | str):
        return content
    raise TypeError(f"a record keeps numbers, text, lists and dicts of them, not {type(content).__name__}")


@contextlib.contextmanager
def locked(folder: Path, wait: bool = False) -> Iterator[None]:
    """Hold a folder; where another process does, wait for it or raise a UserError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = open(folder / ".lock", "w", encoding="utf-8")  # noqa: SIM115 (closed below)
    except OSError as error:
        raise UserError(f"cannot write in {folder}: {explained(error)}") from error
    with lock:
        deadline = time.monotonic() + LOOKED
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
                break
            except OSError as error:
                if time.monotonic() > deadline:
                    told = f"another process is at work in {folder}; wait for it or choose another folder"
                    raise UserError(told) from error
                time.sleep(LOOKED / 20)
        yield


def held(folder: Path) -> bool:
    """Whether a process holds a folder; see `locked`."""
    try:
        with open(folder / ".lock", "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False
