"""Functions in C++ that are compiled on the machine they run on, where it has a compiler.

They do what torch's operations do, with the same numbers up to rounding; where they cannot be compiled those are used.
"""

import contextlib
import ctypes
import functools
import hashlib
import os
import platform
import re
import shutil
import subprocess
import tempfile

from augrnn.cache_directory import cache_directory

SWITCH = "AUGRNN_COMPILE"
"""Set this environment variable to 0 to use no compiler."""

FLAGS = (
    "-O3",
    "-march=native",
    "-std=c++17",
    "-shared",
    "-fPIC",
    # sums in any order, as vectors have it; not -ffast-math, which would change the arithmetic of the whole process
    "-fno-math-errno",
    "-fno-trapping-math",
    "-fno-signed-zeros",
    "-fassociative-math",
)


def compiler() -> str | None:
    """The C++ compiler: $CXX, or the first that is found; None where none is, or none is wanted."""
    if os.environ.get(SWITCH, "1") == "0":
        return None
    return os.environ.get("CXX") or next(filter(None, map(shutil.which, ("g++", "clang++", "c++"))), None)


@functools.cache
def library(source: str) -> ctypes.CDLL | None:
    """The compiled functions of a source file; None where they cannot be compiled.

    A library is kept in the cache directory, and is that of one source, compiler and kind of processor.

    Args:
      source: the path of the file.
    """
    found = compiler()
    if found is None:
        return None
    try:
        return ctypes.CDLL(_built(source, found))
    except (OSError, subprocess.SubprocessError):  # torch's own use of the compiler tells what is wrong with it
        return None


def _built(source: str, compiler: str) -> str:
    digest = hashlib.sha256()
    for path in (source, *headers(source)):
        with open(path, "rb") as file:
            digest.update(file.read())
    digest.update(" ".join([compiler, *FLAGS, _processor()]).encode())
    name = f"{os.path.splitext(os.path.basename(source))[0]}-{digest.hexdigest()[:16]}.so"
    path = os.path.join(_own_folder(), name)
    if not os.path.exists(path):
        _compile(source, compiler, path)
    return path


def headers(source: str) -> list[str]:
    """The files of its own that a source file includes; these include none."""
    with open(source, encoding="utf-8") as file:
        names = re.findall(r'^#include "(.+)"$', file.read(), re.MULTILINE)
    return [os.path.join(os.path.dirname(source), name) for name in names]


def _own_folder() -> str:
    """The folder of this user's libraries, in a cache that others may write in too."""
    folder = os.path.join(cache_directory(), f"native-{os.getuid()}")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    if os.stat(folder).st_uid != os.getuid():
        raise PermissionError(f"{folder} is another user's")
    return folder


def _compile(source: str, compiler: str, path: str) -> None:
    handle, temporary = tempfile.mkstemp(suffix=".so", dir=os.path.dirname(path))
    os.close(handle)
    try:
        command = [compiler, *FLAGS, "-o", temporary, source]
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
        os.replace(temporary, path)  # whole or not at all: other runs may start at this moment
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)


def _processor() -> str:
    """What decides which instructions there are."""
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        told = sorted({line for line in file if line.startswith(("flags", "Features", "model name"))})
        return "".join(told)
    return f"{platform.machine()} {platform.processor()}"
