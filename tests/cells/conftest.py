"""What tests of compiled functions share."""

from collections.abc import Iterator

import pytest

from augrnn import native
from augrnn.cells import ntm_memory


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The compiled functions, where a compiler is here; the tests' environment asks for none."""
    monkeypatch.setenv(native.SWITCH, "1")
    native.library.cache_clear()
    if native.library(ntm_memory.SOURCE) is None:
        pytest.skip("needs a C++ compiler")
    yield
    native.library.cache_clear()
