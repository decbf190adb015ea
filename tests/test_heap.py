import subprocess
import sys

import pytest

MEASURE = """
import resource, sys, torch
from augrnn.heap import keep_freed_memory
if sys.argv[1] == "keep": keep_freed_memory()
for _ in range(3): torch.ones(20, 2**20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    kept = [torch.ones(5, 2**20) for _ in range(4)]
    del kept
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the setting is glibc's")
def test_blocks_are_used_again_without_asking_the_system() -> None:
    faults = {
        mode: int(subprocess.run([sys.executable, "-c", MEASURE, mode], capture_output=True, check=True).stdout)
        for mode in ("keep", "leave")
    }
    assert faults["keep"] < faults["leave"] / 10
