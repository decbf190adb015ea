"""Captions of drawn scenes: what is in them and where is known, so that where a model looks can be counted."""

from pathlib import Path

from augrnn.captions.codec import CaptionCodec
from augrnn.captions.layouts import TRAIN
from augrnn.captions.scenes import VOCABULARY, Scene
from augrnn.captions.scenes import Scenes as DrawnScenes
from augrnn.captions.words import CaptionWords
from augrnn.known_names import known
from augrnn.tasks.picture_task import Described, PictureTask
from augrnn.tasks.task import require_sizes
from augrnn.text.vocabulary import SPECIAL, train_words
from augrnn.vision.backbone import Backbone

SPLITS = {TRAIN: 0, "val": 1, "test": 2}
"""The number that names each split in the seeds of its scenes."""


class Scenes(PictureTask):
    """Look at a drawn scene of 2 to 4 shapes, and say what is in it.

        source   a grid of what a network sees           target   a red circle is left of a small blue star . <eos>

    Scene i of a split is a pure function of `scenes_seed` and i; each has five captions. The vocabulary is that of the
    grammar.

    Args:
      backbone: what sees the scenes.
      tuned: whether the encoder trains a backbone of its own; see `PictureTask`.
      side: pixels a side of a drawn scene; the backbone squashes it to its own size.
      scenes: scenes to train on.
      validation_scenes: to validate on.
      test_scenes: to test on.
      scenes_seed: names all scenes, of which no two splits share one.
      batch_size: examples a batch: scenes, each with one of its captions.
      cache: directory for what the backbone sees; AUGRNN_CACHE or the user's cache directory when None.
      pool: training batches sorted together by length.
      seed: names the stream of training batches.
    """

    measure = "augrnn.measures.captions.measure.ScenesMeasure"

    def __init__(
        self,
        backbone: Backbone,
        tuned: bool = False,
        side: int = 112,
        scenes: int = 5000,
        validation_scenes: int = 500,
        test_scenes: int = 1000,
        scenes_seed: int = 0,
        batch_size: int = 64,
        cache: Path | None = None,
        pool: int = 50,
        seed: int = 0,
    ) -> None:
        super().__init__(backbone, tuned, batch_size, cache, False, pool, seed)
        self.counts = {TRAIN: scenes, "val": validation_scenes, "test": test_scenes}
        require_sizes("scenes", side=side, **{f"{split} scenes": count for split, count in self.counts.items()})
        self.side, self.scenes_seed = side, scenes_seed
        self.validation_split, self.test_splits = "val", ["test"]
        self.target_vocabulary = len(SPECIAL) + len(VOCABULARY)
        self._scenes: dict[str, list[Scene]] = {}

    def scenes(self, split: str) -> list[Scene]:
        """What is in each scene of a split: objects with their boxes, and captions with the words that name them."""
        if split not in self._scenes:
            pictures = self._pictures(split)
            self._scenes[split] = [pictures.scene(number) for number in range(len(pictures))]
        return self._scenes[split]

    def read(self, split: str) -> Described:
        captions = [[list(words) for words in scene.captions] for scene in self.scenes(split)]
        return Described(self._pictures(split), captions)

    def _pictures(self, split: str) -> DrawnScenes:
        seed = SPLITS[known(split, SPLITS, "split of scenes")], self.scenes_seed
        return DrawnScenes(seed, self.counts[split], self.side)

    def made_codec(self) -> CaptionCodec:
        vocabulary = train_words([VOCABULARY], self.target_vocabulary)
        return CaptionCodec(CaptionWords("spaces"), vocabulary, self.backbone, self.tuned, self.batch_size)
