"""Captioning: say what is to be seen in photographs, as in "Show, attend and tell" (Xu et al. 2015)."""

from pathlib import Path

from augrnn.captions.codec import CaptionCodec
from augrnn.captions.corpus import HUB, CaptionCorpus
from augrnn.captions.layouts import TRAIN
from augrnn.captions.words import CaptionWords, Cut
from augrnn.errors import UserError
from augrnn.tasks.picture_task import Described, PictureTask
from augrnn.tasks.task import require_sizes, told
from augrnn.text.vocabulary import Words, cached_subwords
from augrnn.vision.backbone import Backbone


class Captioning(PictureTask):
    """Look at an image, say what is in it.

        source   a grid of what a network sees           target   a black dog runs in the snow . <eos>

    The vocabulary are the commonest words of the training captions, other words are unknown. Blank captions are left
    out, and images that have no other; one line says how many.

    Args:
      backbone: what sees the images.
      tuned: whether the encoder trains a backbone of its own; see `PictureTask`.
      vocabulary: words, the four special ones included.
      batch_size: examples a batch: images, each with one of its captions.
      directory: the data set's own directory: see `augrnn.captions.layouts.read_directory`.
      captions: instead, a file of captions: see `augrnn.captions.layouts.read_file`.
      images: the folder of the images, where it is not beside the captions.
      columns: what the columns `image`, `caption` and `split` are called, where it is something else.
      hub: instead of these, the id of a data set on the Hugging Face hub. Of the default one `flickr8k` in the
        directory that AUGRNN_DATA names is a copy, and is read instead.
      held_out: splits to be taken out of the training images, each with its number of images or its share.
      held_out_seed: names which images these are.
      cut: "spaces" for captions that are in words already, as Flickr's are, or "moses" for raw ones.
      lowercase: whether all text is lower case; what the model writes is then so too.
      punctuation: False leaves out the full stop and other words without a letter or digit.
      language: code of the captions' language.
      cache: directory for what is computed once; AUGRNN_CACHE or the user's cache directory when None.
      skip_undecodable: leave out images that cannot be read, which a line counts, in place of refusing the first.
      validation_split, test_splits: names of the splits to validate and test on.
      pool: training batches sorted together by length.
      seed: names the stream of training batches.
    """

    measure = "augrnn.measures.captions.measure.CaptionMeasure"

    def __init__(
        self,
        backbone: Backbone,
        tuned: bool = False,
        vocabulary: int = 2549,
        batch_size: int = 64,
        directory: Path | None = None,
        captions: Path | None = None,
        images: Path | None = None,
        columns: dict[str, str] | None = None,
        hub: str = HUB,
        held_out: dict[str, int | float] | None = None,
        held_out_seed: int = 0,
        cut: Cut = "spaces",
        lowercase: bool = True,
        punctuation: bool = True,
        language: str = "en",
        cache: Path | None = None,
        skip_undecodable: bool = False,
        validation_split: str = "val",
        test_splits: tuple[str, ...] = ("test",),
        pool: int = 50,
        seed: int = 0,
    ) -> None:
        super().__init__(backbone, tuned, batch_size, cache, skip_undecodable, pool, seed)
        require_sizes("captioning", vocabulary=vocabulary)
        self.vocabulary = self.target_vocabulary = vocabulary
        self.validation_split, self.test_splits = validation_split, list(test_splits)
        self.corpus = CaptionCorpus(directory, captions, images, columns, hub, held_out, held_out_seed)
        self.words = CaptionWords(cut, lowercase, punctuation, language)

    def read(self, split: str) -> Described:
        found = self.corpus.read(split)
        words = iter(self.words.words([caption for captions in found.captions for caption in captions], self.cache))
        captions = [[next(words) for _ in each] for each in found.captions]
        kept = [[each for each in several if each] for several in captions]
        blank = sum(map(len, captions)) - sum(map(len, kept))
        numbers = [number for number, several in enumerate(kept) if several]
        notes = [f"{blank} blank captions"] * bool(blank)
        if bare := len(kept) - len(numbers):
            notes.append(f"{bare} images without a caption")
        if notes:
            told(f"of '{split}' {' and '.join(notes)} are left out")
        if not numbers:
            raise UserError(f"no image of '{split}' has a caption")
        return Described(found.chosen(numbers).pictures, [kept[number] for number in numbers])

    def made_codec(self) -> CaptionCodec:
        captions = [words for several in self.described(TRAIN).captions for words in several]
        learned = cached_subwords(captions, self.vocabulary, self.cache, "words")
        assert isinstance(learned, Words)
        return CaptionCodec(self.words, learned, self.backbone, self.tuned, self.batch_size)
