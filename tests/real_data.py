"""Where configs find their real data in tests."""

from pathlib import Path

import pytest

FOLDERS = {
    "text": ("path", "war_and_peace"),
    "translation": ("directory", "multi30k"),
    "wiki-table-questions": ("directory", "wikitablequestions"),
}
"""For each folder of configs with real data the option of their task, and what it is in the data's root."""


def options(config: Path, request: pytest.FixtureRequest) -> list[str]:
    """Command line options for a config's data, none where it makes its own; skips the test where data are missing."""
    if config.parent.name not in FOLDERS:
        return []
    option, folder = FOLDERS[config.parent.name]
    return [f"--data.init_args.{option}={request.getfixturevalue('data_root') / folder}"]
