"""What becomes of memory that is freed."""

import ctypes

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""glibc's numbers for these settings of `mallopt`."""

KEPT = 2**28
"""Bytes: blocks up to this size are kept for the next one, and as many at the heap's end."""


def keep_freed_memory() -> None:
    """Keep freed blocks for the next ones, where the C library can be told so (glibc).

    Else it gives every large block back to the system and gets it anew, empty, page after page: in an update of
    RNNsearch on the CPU 11,000 times 4 KiB, a tenth of its time.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(TRIM_THRESHOLD, KEPT)
        mallopt(MMAP_THRESHOLD, KEPT)
