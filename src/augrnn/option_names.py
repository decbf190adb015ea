"""Short names for dotted options."""

from collections.abc import Iterator, Sequence


def shortened(names: Sequence[str]) -> dict[str, str]:
    """For each option a short name that no other has: as few of its last words as that takes."""
    return {name: next(_shorter(name, names)) for name in names}


def _shorter(name: str, names: Sequence[str]) -> Iterator[str]:
    words = name.split(".")
    for count in range(1, len(words) + 1):
        short = ".".join(words[-count:])
        if sum(f".{other}".endswith(f".{short}") for other in names) == 1:
            yield short
    yield name
