import subprocess
import sys

import pytest

MEASURE = """
import resource, sys, torch
from augrnn.heap import keep_freed_memory
if sys.argv[1] == "keep": keep_freed_memory()
def faults(rounds):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(rounds):
        kept = [torch.ones(10, 2**20) for _ in range(4)]  # more than glibc ever keeps by itself
        del kept
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults(10)  # until the heap has room for all four beside each other
print(faults(10))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the setting is glibc's")
def test_blocks_are_used_again_without_asking_the_system() -> None:
    counts = {
        mode: int(subprocess.run([sys.executable, "-c", MEASURE, mode], capture_output=True, check=True).stdout)
        for mode in ("keep", "leave")
    }
    assert counts["keep"] < counts["leave"] / 10
