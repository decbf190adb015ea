from typing import Any

import pytest

from augrnn.search.model import Hypothesis
from augrnn.text.codec import PairCodec, TextCodec
from augrnn.text.token_batches import EOS
from augrnn.text.vocabulary import train_subwords

SENTENCES = [["a", "red", "shirt", "is", "here", "."], ["a", "blue", "dog", "."], ["the", "green", "hat", "."]]
LINES = ["A red shirt is here.", "", "A blue dog is here.\r", "   ", "A green hat."]


def codec(batch_size: int = 64) -> PairCodec:
    english = TextCodec("en", train_subwords(SENTENCES, 40))
    return PairCodec(english, english, "subwords", batch_size)


def parrot(made: PairCodec, lines: list[str]) -> list[str]:
    """What a model that gives back what it reads gives for each line."""
    found = [""] * len(lines)
    for numbers, batch in made.batches(lines):
        prediction: dict[int, Any] = {}
        for number, ids, mask in zip(batch.index_B.tolist(), *batch.source, strict=True):
            prediction[number] = [Hypothesis(ids[mask].tolist(), 0.0, 0.0, ids)]
        for number, text in zip(numbers, made.texts(prediction), strict=True):
            found[number] = text
    return found


@pytest.mark.parametrize("batch_size", [64, 2])
def test_lines_come_back_in_order_and_blank_ones_stay_blank(batch_size: int) -> None:
    expected = ["a red shirt is here.", "", "a blue dog is here.", "", "a green hat."]
    assert parrot(codec(batch_size), LINES) == expected


def test_short_lines_come_first() -> None:
    found = list(codec(2).batches(["a dog.", *LINES[1:]]))
    assert [numbers for numbers, _ in found] == [batch.index_B.tolist() for _, batch in found]
    lengths = [length for _, batch in found for length in batch.source.mask_BL.sum(1).tolist()]
    assert lengths == sorted(lengths)
    assert [len(numbers) for numbers, _ in found] == [2, 1]
    assert found[0][0][0] == 0


@pytest.mark.parametrize("lines", [[], [""], ["", " "]])
def test_nothing_gives_as_little(lines: list[str]) -> None:
    assert parrot(codec(), lines) == [""] * len(lines)


def test_a_codec_is_made_again_from_its_state() -> None:
    french = TextCodec("fr", train_subwords([["un", "chien", "l'", "eau"]], 25))
    for made in (codec(), PairCodec(TextCodec("en", codec().source.vocabulary), french, "subwords")):
        again = PairCodec.from_state(made.state_dict(), batch_size=3)
        assert again.state_dict() == made.state_dict()
        assert again.batch_size == 3
        assert again.source.vocabulary.encode(SENTENCES) == made.source.vocabulary.encode(SENTENCES)
        ids = made.target.vocabulary.encode([["un", "chien"]])[0]
        assert again.spelled(ids) == made.spelled(ids)
    assert parrot(PairCodec.from_state(codec().state_dict()), LINES) == parrot(codec(), LINES)
    assert len(codec().state_dict()["vocabularies"]) == 1
    assert ids[-1] == EOS
