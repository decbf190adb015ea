"""What the tasks of captioning share: images with several captions each, seen by a network once for all epochs."""

# B = batch, M = target positions

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import torch
from lightning.pytorch.trainer.states import TrainerFn

from augrnn.batch_stream import BatchStream
from augrnn.captions.codec import CaptionCodec
from augrnn.captions.layouts import TRAIN
from augrnn.encoders.grid import GridSource, PixelSource
from augrnn.errors import UserError
from augrnn.metrics.captions import CaptionMetrics
from augrnn.tasks.task import TextTask, require_sizes, told
from augrnn.text.token_batches import PairBatch, bucketed, padded
from augrnn.vision.backbone import Backbone
from augrnn.vision.features import Grids, cached_grids
from augrnn.vision.pictures import Picture, decode

SCORES = ("bleu4", "bleu4_no_penalty", "cider_d", "rouge_l", "meteor_exact")
"""The metrics of a validation; `PictureTask.metrics` has more."""


class Described(NamedTuple):
    """A split: images and the captions of each, in words. Item i of both is one image; there is no blank caption."""

    pictures: Sequence[Picture]
    captions: list[list[list[str]]]


class PictureTask(TextTask):
    """Images to captions. A task writes `read` and `made_codec`, and names its splits.

    An example to train on is an image with one of its captions. Other splits have one example an image: the model
    writes one caption, which is scored against all of the image's; the caption that is given word by word is its first,
    second, third and so on in turn. The number of an example is that of its image.

    Args:
      backbone: what sees the images.
      tuned: give pixels, for an encoder whose backbone is trained; without, the backbone's grids are given, which are
        computed once and kept on disk.
      batch_size: examples a batch.
      cache: directory for what is computed once; AUGRNN_CACHE or the user's cache directory when None.
      skip_undecodable: leave out images that cannot be read, which a line counts, in place of refusing the first.
      pool: training batches sorted together by length.
      seed: names the stream of training batches.
    """

    command = "caption"
    finite = True
    learned = True

    validation_split: str
    test_splits: list[str]

    def __init__(
        self,
        backbone: Backbone,
        tuned: bool,
        batch_size: int,
        cache: Path | None,
        skip_undecodable: bool,
        pool: int,
        seed: int,
    ) -> None:
        super().__init__()
        require_sizes("captioning", batch_size=batch_size, pool=pool)
        self.backbone, self.tuned, self.batch_size = backbone, tuned, batch_size
        self.cache, self.skip_undecodable, self.pool, self.seed = cache, skip_undecodable, pool, seed
        self._codec: CaptionCodec | None = None
        self._described: dict[str, Described] = {}
        self._grids: dict[str, Grids] = {}
        self._present: dict[str, list[int]] = {}
        self._metrics: dict[str, CaptionMetrics] = {}
        self._epoch: tuple[int, list[list[int]]] | None = None

    # Reading ---------------------------------------------------------------------------------------------------------

    def read(self, split: str) -> Described:
        """The images and captions of a split."""
        raise NotImplementedError

    def described(self, split: str) -> Described:
        """A split by its name; read on the first call, so that no test split is read before its time."""
        if split not in self._described:
            self._described[split] = self.read(split)
        return self._described[split]

    def made_codec(self) -> CaptionCodec:
        """The codec before training."""
        raise NotImplementedError

    def prepare_data(self) -> None:
        """Fetch the data, learn the vocabulary and see the images, on one process before the others."""
        if self.trainer is None or self.trainer.state.fn == TrainerFn.FITTING:
            self.setup("fit")

    def setup(self, stage: str | None = None) -> None:
        """Before training, have the vocabulary and what is seen of both splits; others are read when asked for."""
        if stage in (None, "fit"):
            validated = self.trainer is None or self.trainer.limit_val_batches
            splits = (TRAIN, self.validation_split) if validated else (TRAIN,)
            for split in splits:
                self.described(split)
            self.codec  # noqa: B018 (makes it)
            for split in splits:  # last, for it takes the longest
                self.present(split)

    @property
    def codec(self) -> CaptionCodec:
        """From images to batches and from ids to lines; made before training, or taken from a checkpoint."""
        if self._codec is None:
            self._codec = self.made_codec()
        return self._codec

    def state_dict(self) -> dict[str, Any]:
        """The codec, so that a checkpoint needs no corpus, and is never read with another vocabulary."""
        return self.codec.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        if self._codec is None:
            self._codec = CaptionCodec.from_state(state_dict, self.backbone, self.tuned, self.batch_size)
        elif state_dict != self.state_dict():
            raise UserError(
                "the checkpoint was trained on another vocabulary, or on what another backbone saw: use its own data "
                "settings and the captions that it was trained on"
            )

    def present(self, split: str) -> list[int]:
        """The numbers of the images of a split that can be read."""
        if split not in self._present:
            pictures = self.described(split).pictures
            if not self.tuned:
                there = self.grids(split).present
            else:
                there = [_readable(picture, self.skip_undecodable) for picture in pictures]
                if not any(there):
                    raise UserError(f"none of {len(there)} pictures can be read")
                if missing := there.count(False):
                    told(f"{missing} of {len(there)} pictures cannot be read and are left out")
            self._present[split] = [number for number, readable in enumerate(there) if readable]
        return self._present[split]

    def grids(self, split: str) -> Grids:
        """What the backbone sees in the images of a split, from the cache where it is there."""
        if split not in self._grids:
            self.backbone.to("cuda" if torch.cuda.is_available() else "cpu")
            pictures = self.described(split).pictures
            self._grids[split] = cached_grids(pictures, self.backbone, self.cache, self.skip_undecodable)
            self.backbone.to("cpu")
        return self._grids[split]

    def source(self, split: str, images: Sequence[int]) -> GridSource | PixelSource:
        """What the encoder takes of some images of a split."""
        if not self.tuned:
            return GridSource(self.grids(split)[images])
        pictures = self.described(split).pictures
        return PixelSource(torch.stack([self.backbone.pixels(decode(pictures[number])) for number in images]))

    # Batches ---------------------------------------------------------------------------------------------------------

    def batch(self, split: str, images: Sequence[int], ids: Sequence[Sequence[int]]) -> PairBatch:
        """Images of a split, each with a caption in token ids, EOS included."""
        return PairBatch(self.source(split, images), *padded(ids), torch.tensor(images))

    @cached_property
    def _examples(self) -> tuple[list[int], list[list[int]]]:
        """Of each training example the image and the token ids."""
        captions = self.described(TRAIN).captions
        pairs = [(number, words) for number in self.present(TRAIN) for words in captions[number]]
        if not pairs:
            raise UserError("no training image has a caption: there is nothing to train on")
        return [number for number, _ in pairs], self.codec.vocabulary.encode([words for _, words in pairs])

    def epoch_length(self) -> int:
        """Training batches of an epoch, all full: each epoch leaves out a different remainder."""
        return max(1, len(self._examples[0]) // self.batch_size)

    def draw(self, number: int) -> PairBatch:
        """Batch `number` of the training stream, a pure function of the seed and the number."""
        epoch, position = divmod(number, self.epoch_length())
        images, ids = self._examples
        if self._epoch is None or self._epoch[0] != epoch:
            batches = bucketed([(len(each), 0) for each in ids], self.batch_size, self.pool, self.seed, epoch)
            full = max(map(len, batches))
            self._epoch = epoch, [batch for batch in batches if len(batch) == full]
        chosen = self._epoch[1][position]
        return self.batch(TRAIN, [images[i] for i in chosen], [ids[i] for i in chosen])

    def evaluation(self, split: str, batch_size: int | None = None) -> BatchStream:
        """All images of a split, in batches of captions of similar length, always the same ones in the same order."""
        captions, images = self.described(split).captions, self.present(split)
        shown = [captions[number][number % len(captions[number])] for number in images]
        ids = self.codec.vocabulary.encode(shown)
        batches = bucketed([(len(each), 0) for each in ids], batch_size or self.batch_size, len(ids), 0)
        return BatchStream(
            lambda i: self.batch(split, [images[j] for j in batches[i]], [ids[j] for j in batches[i]]), len(batches)
        )

    def validation_set(self) -> BatchStream:
        return self.evaluation(self.validation_split)

    def test_sets(self) -> dict[str, BatchStream]:
        return {split: self.evaluation(split) for split in self.test_splits}

    @property
    def test_names(self) -> list[str]:
        return self.test_splits

    # Scoring ---------------------------------------------------------------------------------------------------------

    def metrics(self, split: str) -> CaptionMetrics:
        """All metrics against the captions of a split; "val" is the split to validate on."""
        split = self.validation_split if split == "val" else split
        if split not in self._metrics:
            self._metrics[split] = CaptionMetrics(self.described(split).captions, self.codec.words.treatment)
        return self._metrics[split]

    def score(self, predictions: Sequence[Sequence[int]], indices: Sequence[int], split: str) -> dict[str, float]:
        """The metrics of captions against all those of their images: BLEU in percent, the others as published.

        Args:
          predictions: token ids; what follows an EOS is ignored.
          indices: for each prediction the number of its image in the split.
          split: its name; "val" is the split to validate on.
        """
        words = [self.codec.vocabulary.words(ids) for ids in predictions]
        table = self.metrics(split).scores(words, indices).table()
        return {name: table[name] for name in SCORES}


def _readable(picture: Picture, skip: bool) -> bool:
    """Whether a picture can be read; where that may not be skipped, what is wrong with it is raised."""
    try:
        decode(picture)
    except UserError:
        if not skip:
            raise
        return False
    return True
