"""A directory of texts that can be computed again, each under a hash of what it is made from."""

import hashlib
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from augrnn.cache_directory import CACHE, cache_directory
from augrnn.errors import UserError


def cached(kind: str, content: Iterable[str], make: Callable[[], str], directory: Path | None = None) -> str:
    """The text that `make` gives, which is called only where the cache does not have it whole.

    Args:
      kind: what the text is, and by which rules and versions it is made.
      content: what it is made from.
      make: makes it.
      directory: another one than `cache_directory`.

    Raises:
      UserError: the cache cannot be written; nothing half-written is left.
    """
    digest = hashlib.sha256(kind.encode())
    for part in content:
        digest.update(b"\n" + part.encode())
    path = (directory or Path(cache_directory())) / f"{kind.partition(' ')[0]}-{digest.hexdigest()[:24]}"
    text = _read(path)
    if text is None:
        text = make()
        _write(path, text)
    return text


def _read(path: Path) -> str | None:
    # The first line is the hash of the rest, so that a file damaged from outside is made again.
    with suppress(OSError, UnicodeDecodeError):
        seal, _, text = path.read_bytes().decode().partition("\n")
        if seal == hashlib.sha256(text.encode()).hexdigest():
            return text
    return None


def _write(path: Path, text: str) -> None:
    # To a temporary file first, so that no other process ever reads half a text.
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    sealed = f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(sealed.encode())
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise UserError(
            f"cannot write the cache {path.parent}: {error.strerror}; set {CACHE} to another directory"
        ) from None
