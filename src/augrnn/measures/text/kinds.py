"""What kind of character each byte of a text is."""

import re

import numpy as np
from numpy.typing import NDArray

KINDS = ("space", "first letter", "letter", "punctuation", "digit", "other", "opening bracket", "tag", "identifier")
"""Spaces and line ends; the first letter of a word, and those after it; what stands between clauses; digits; all else.
Of XML: the bracket that opens a tag, the rest of the tag, and what stands in <id> and <sha1>, which nobody can
predict."""

SPACE, FIRST, LETTER, PUNCTUATION, DIGIT, OTHER, BRACKET, TAG, IDENTIFIER = range(len(KINDS))

BOUNDARIES = b",.;:!?"
"""The marks between clauses and sentences."""

TAGS = re.compile(rb"</?[A-Za-z][^<>]*>")
IDENTIFIERS = re.compile(rb"(?<=<id>)[0-9]+(?=</id>)|(?<=<sha1>)[0-9a-z]+(?=</sha1>)")


def kinds(text: bytes) -> NDArray[np.int8]:
    """The number of each byte's kind among KINDS. Bytes above 127, of which UTF-8 makes other letters, are letters."""
    values = np.frombuffer(text, dtype=np.uint8)
    lower = values | 32
    letters = ((lower >= ord("a")) & (lower <= ord("z"))) | (values > 127)
    after_letter = np.zeros_like(letters)
    after_letter[1:] = letters[:-1]
    found = np.full(len(values), OTHER, dtype=np.int8)
    found[np.isin(values, list(BOUNDARIES))] = PUNCTUATION
    found[(values <= ord(" ")) | (values == 127)] = SPACE
    found[(values >= ord("0")) & (values <= ord("9"))] = DIGIT
    found[letters] = FIRST
    found[letters & after_letter] = LETTER
    for tag in TAGS.finditer(text):
        found[tag.start() : tag.end()] = TAG
        found[tag.start()] = BRACKET
    for identifier in IDENTIFIERS.finditer(text):
        found[identifier.start() : identifier.end()] = IDENTIFIER
    return found
