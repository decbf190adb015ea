"""Where things are kept that can be made again: $AUGRNN_CACHE, else augrnn in the user's cache directory."""

import os

CACHE = "AUGRNN_CACHE"
"""Environment variable naming the directory."""


def cache_directory() -> str:
    """The path of that directory, which need not be there yet."""
    if CACHE in os.environ:
        return os.environ[CACHE]
    own = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(own, "augrnn")
