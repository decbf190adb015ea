"""A cache for the tests of each module."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUGRNN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
