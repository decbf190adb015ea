"""From a user's image files to batches, and from token ids to captions, with all that it takes."""

# B = batch, C = colour channels, S = side in pixels, L = places of the grid, D = channels of the layer

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from tokenizers import Tokenizer

from augrnn.captions.collection import read_picture
from augrnn.captions.words import CaptionWords
from augrnn.encoders.grid import GridSource, PixelSource
from augrnn.errors import UserError
from augrnn.text.token_batches import EOS, PairBatch, padded
from augrnn.text.vocabulary import Words, vocabulary_of
from augrnn.vision.backbone import Backbone
from augrnn.vision.pictures import decode


class CaptionCodec:
    """Images to look at, and captions to read.

    Args:
      words: how captions are cut.
      vocabulary: the words that there are.
      backbone: what sees the images.
      tuned: whether the model has a backbone of its own, trained with it, and is given pixels.
      batch_size: images a batch.
    """

    def __init__(
        self, words: CaptionWords, vocabulary: Words, backbone: Backbone, tuned: bool = False, batch_size: int = 64
    ) -> None:
        self.words, self.vocabulary = words, vocabulary
        self.backbone, self.tuned, self.batch_size = backbone, tuned, batch_size

    def batches(self, lines: Sequence[str]) -> Iterator[tuple[list[int], PairBatch]]:
        """Batches of the images whose paths the lines are, but for blank ones, each with the numbers of its lines.

        Raises:
          UserError: a file cannot be read as an image; names it.
        """
        numbers = [number for number, line in enumerate(lines) if line.strip()]
        for start in range(0, len(numbers), self.batch_size):
            chosen = numbers[start : start + self.batch_size]
            images = [decode(read_picture(Path(lines[number].strip()).expanduser())) for number in chosen]
            yield chosen, self.batch(images, chosen)

    def batch(self, images: Sequence[Image.Image], numbers: Sequence[int]) -> PairBatch:
        """A batch of images, without captions.

        Args:
          images: decoded.
          numbers: what they are numbered as.
        """
        return PairBatch(self.source(images), *padded([[EOS]] * len(images)), torch.tensor(numbers))

    @torch.no_grad()
    def source(self, images: Sequence[Image.Image]) -> GridSource | PixelSource:
        """What the encoder takes of images: their pixels, or the backbone's grids, rounded as in a cache."""
        pixels_BCSS = torch.stack([self.backbone.pixels(image) for image in images])
        return PixelSource(pixels_BCSS) if self.tuned else GridSource(self.backbone(pixels_BCSS).half())

    def texts(self, prediction: Mapping[int, Sequence[Any]]) -> list[str]:
        """The captions of what an EncoderDecoder predicts for a batch: of each image the best hypothesis."""
        return [self.spelled(best[0].tokens) for best in prediction.values()]

    def spelled(self, ids: Iterable[int]) -> str:
        """The line that token ids spell."""
        return self.words.line(self.vocabulary.words(ids))

    def state_dict(self) -> dict[str, Any]:
        """All that is needed to make it again but the backbone, of which it has the fingerprint."""
        seen = {} if self.tuned else {"backbone": self.backbone.fingerprint}
        return {"words": self.words.state_dict(), "vocabulary": self.vocabulary.serialised} | seen

    @classmethod
    def from_state(
        cls, state: Mapping[str, Any], backbone: Backbone, tuned: bool = False, batch_size: int = 64
    ) -> "CaptionCodec":
        """The codec that gave a state.

        Raises:
          UserError: the backbone is another one, or a newer augrnn wrote the state.
        """
        words = CaptionWords.from_state(state["words"])
        vocabulary = vocabulary_of(Tokenizer.from_str(state["vocabulary"]), "words")
        assert isinstance(vocabulary, Words)
        if not tuned and state.get("backbone") != backbone.fingerprint:
            raise UserError(
                f"the model was trained on grids of another {backbone.name}: give its weights, layer and size"
            )
        return cls(words, vocabulary, backbone, tuned, batch_size)
