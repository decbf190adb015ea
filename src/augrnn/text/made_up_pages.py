"""Pages in XML that are made up: tags and plain sentences around identifiers that nobody can predict.

They stand for Wikipedia's in the claim that pondering does not rise at random identifiers, which no freely given text
has in known places. Nothing in them is true.
"""

import random
from collections.abc import Iterator

NOUNS = (
    "river", "town", "bridge", "house", "king", "farmer", "teacher", "ship", "road", "forest", "market", "church",
    "letter", "winter", "mountain", "village", "harbour", "island", "soldier", "garden", "school", "train", "horse",
    "field", "castle", "valley", "street", "window", "painter", "doctor",
)  # fmt: skip
ADJECTIVES = (
    "old",
    "small",
    "large",
    "famous",
    "quiet",
    "northern",
    "narrow",
    "young",
    "rich",
    "empty",
    "green",
    "cold",
)
VERBS = ("crossed", "built", "left", "found", "painted", "sold", "followed", "visited", "lost", "described", "closed")
PLACES = ("near", "behind", "above", "below", "beside", "across", "around", "towards")
TIMES = ("in spring", "at night", "after the war", "for many years", "before dawn", "in those days", "once again")
JOINS = (", and", ", but", ", while", ";")

SENTENCES = (2, 5)
"""The fewest and the most of a page."""

HEX = 16
"""Letters of a page's hash."""


def pages(*seed: int) -> Iterator[str]:
    """Page after page without end: a pure function of the seed. Different seeds have other pages."""
    source = random.Random(repr(seed))
    while True:
        yield _page(source)


def pages_bytes(length: int, *seed: int) -> bytes:
    """The first bytes of these pages, so many; the last page may be cut."""
    parts, done = [], 0
    for page in pages(*seed):
        parts.append(page.encode())
        done += len(parts[-1])
        if done >= length:
            break
    return b"".join(parts)[:length]


def _page(source: random.Random) -> str:
    prose = " ".join(_sentence(source) for _ in range(_between(source, *SENTENCES)))
    return (
        "  <page>\n"
        f"    <title>{_noun(source).capitalize()}</title>\n"
        f"    <id>{_letters(source, '0123456789', _between(source, 5, 8))}</id>\n"
        "    <revision>\n"
        f"      <id>{_letters(source, '0123456789', 9)}</id>\n"
        f"      <timestamp>{_time(source)}</timestamp>\n"
        f"      <text>{prose}</text>\n"
        f"      <sha1>{_letters(source, '0123456789abcdef', HEX)}</sha1>\n"
        "    </revision>\n"
        "  </page>\n"
    )


def _between(source: random.Random, low: int, high: int) -> int:
    return low + int(source.random() * (high - low + 1))


def _one(source: random.Random, words: tuple[str, ...]) -> str:
    return words[_between(source, 0, len(words) - 1)]


def _letters(source: random.Random, alphabet: str, count: int) -> str:
    return "".join(alphabet[_between(source, 0, len(alphabet) - 1)] for _ in range(count))


def _time(source: random.Random) -> str:
    year, month, day = _between(source, 2001, 2009), _between(source, 1, 12), _between(source, 1, 28)
    hour, minute, second = _between(source, 0, 23), _between(source, 0, 59), _between(source, 0, 59)
    return f"{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"


def _noun(source: random.Random) -> str:
    adjective = f"{_one(source, ADJECTIVES)} " if source.random() < 0.5 else ""
    return f"{adjective}{_one(source, NOUNS)}"


def _clause(source: random.Random) -> str:
    words = f"the {_noun(source)} {_one(source, VERBS)} the {_noun(source)}"
    if source.random() < 0.5:
        words += f" {_one(source, PLACES)} the {_noun(source)}"
    return f"{words} {_one(source, TIMES)}" if source.random() < 0.3 else words


def _sentence(source: random.Random) -> str:
    words = _clause(source)
    if source.random() < 0.4:
        words += f"{_one(source, JOINS)} {_clause(source)}"
    if source.random() < 0.2:
        words += f" in {_between(source, 1700, 1999)}"
    return f"{words[0].upper()}{words[1:]}."
