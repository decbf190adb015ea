"""The measures of a translation model, on a corpus and on models small enough to see through."""

import gzip
import json

import numpy as np
import pytest
import torch

from augrnn.attention.additive import AdditiveAttention
from augrnn.attention.attention import Attention
from augrnn.attention.fixed_context import FixedContext
from augrnn.decoders.attentive import AttentiveDecoder
from augrnn.encoders.word_encoder import BidirectionalEncoder
from augrnn.measures.measure import measured, previewed
from augrnn.measures.translation import measure as module
from augrnn.measures.translation.alignment import colour_nouns
from augrnn.measures.translation.measure import (
    alignments,
    joined_bleu,
    neighbours,
    translated,
)
from augrnn.measures.untrained import untrained
from augrnn.metrics.bleu import bleu_of, bleu_statistics, corpus_bleu
from augrnn.systems.encoder_decoder import EncoderDecoder
from augrnn.tasks.translation import ParallelSplit, Translation, joined
from augrnn.text.token_batches import EOS

PAIRS = [
    (f"A {colour} {thing} is {place} the old house.", f"Un {chose} {couleur} est {lieu} la vieille maison.")
    for colour, couleur in {"red": "rouge", "yellow": "jaune", "pink": "rose"}.items()
    for thing, chose in {"dog": "chien", "hat": "chapeau", "ball": "ballon"}.items()
    for place, lieu in {"in": "dans", "on": "sur"}.items()
]
VOCABULARY = 50


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Translation:
    folder = tmp_path_factory.mktemp("corpus")
    for split, pairs in {"train": PAIRS, "val": PAIRS[::2], "test_2016_flickr": PAIRS[1::2]}.items():
        for language, lines in zip(("en", "fr"), zip(*pairs, strict=True), strict=True):
            (folder / f"{split}.{language}.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    return Translation(directory=folder, cache=folder / "cache", vocabulary=VOCABULARY, batch_size=4)


def make(attention: Attention) -> EncoderDecoder:
    torch.manual_seed(0)
    encoder = BidirectionalEncoder(VOCABULARY, 6, 8)
    return EncoderDecoder(encoder, AttentiveDecoder(VOCABULARY, 6, 8, 8, attention), beam_size=3)


@pytest.fixture
def rnnsearch() -> EncoderDecoder:
    return make(AdditiveAttention(8, 16, 8)).eval()


@pytest.fixture
def rnnenc() -> EncoderDecoder:
    return make(FixedContext(8, 16, 8)).eval()


def test_everything_is_measured_and_can_be_recorded(task: Translation, rnnsearch: EncoderDecoder) -> None:
    rnnsearch.train()
    numbers, exhibits = measured(rnnsearch, task)
    assert rnnsearch.training
    assert json.loads(json.dumps(numbers)) == numbers
    for split in ("val", "test_2016_flickr"):
        assert 0 <= numbers[f"{split}/bleu"] <= 100
        assert sum(numbers[f"{split}/sentences_by_length"].values()) == 9
        assert set(numbers[f"{split}/bleu_by_length"]) == {"1-9", "10-14", "15-19", "20+"}
        assert set(numbers[f"{split}/bleu_joined"]) == {"9", "18", "27", "36"}  # sentences of nine words
        assert [len(numbers[f"{split}/bleu_resampled"][bucket]) for bucket in ("1-9", "20+")] == [200, 200]
        assert numbers[f"{split}/colour_nouns"] == 9
        assert set(numbers[f"{split}/crossings"]) == {"-1", "0", "1"}
        assert set(numbers[f"{split}/alignment_error"]) == {"-1", "0", "1"}
        assert set(numbers[f"{split}/articles"]) == {"full"}
    assert set(numbers["untrained/alignment"]) == set(numbers["val/alignment"])
    assert set(numbers["untrained/alignment_error"]) == {"-1", "0", "1"}
    assert "tok:none" in numbers["signature"]
    assert numbers["beam"] == 3
    table, shown = exhibits["translations"], exhibits["alignments"]
    assert table.columns == ("source", "reference", "translation")
    assert table.rows[0][0] == "a red dog is in the old house ."
    for weights, source, target in zip(shown.weights, shown.sources, shown.targets, strict=True):
        assert weights.shape == (len(target), len(source))
        assert weights.sum(1) == pytest.approx(np.ones(len(weights)), abs=1e-5)
    written = {row[0]: row[2] for row in table.rows}
    assert shown.sides[1].endswith("(the model's)")
    for source, target in zip(shown.sources, shown.targets, strict=True):
        assert written[" ".join(source[:-1])] == " ".join(target)
    assert any(" ".join(target) != row[1] for row, target in zip(table.rows, shown.targets, strict=False))


def test_the_preview_reads_the_validation_split_alone(
    task: Translation, rnnsearch: EncoderDecoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = measured(rnnsearch, task).exhibits
    read = []
    parallel = task.parallel
    monkeypatch.setattr(task, "parallel", lambda split: read.append(split) or parallel(split))
    found = previewed(rnnsearch, task)
    assert set(read) == {"val"}
    assert {name: each.content() for name, each in found.items()} == {
        name: each.content() for name, each in expected.items()
    }


def test_without_attention_there_is_no_alignment(task: Translation, rnnenc: EncoderDecoder) -> None:
    numbers, exhibits = measured(rnnenc, task)
    assert not [name for name in (*numbers, *exhibits) if "alignment" in name or "hits" in name]
    assert "val/bleu" in numbers


class Oracle(EncoderDecoder):
    """Translates and aligns this corpus without a fault, as long as its alignment is read at the right step."""

    order = (0, 2, 1, 3, 4, 5, 6, 7, 8, 9)

    def align(self, batch):  # type: ignore[no-untyped-def]
        rows = []
        for source, target in zip(batch.source.ids_BL, batch.target_BM, strict=True):
            here, there = (torch.tensor(self.corpus.target_subwords.word_of(ids.tolist())) for ids in (source, target))
            here[source == 0], there[target == 0] = -1, -1
            looked = torch.tensor([self.order[word] if word >= 0 else -2 for word in there])
            hits = (looked[:, None] == here).float()
            rows.append(hits / hits.sum(1, keepdim=True).clamp(min=1))
        return torch.stack(rows)

    def predict_step(self, batch, batch_idx, dataloader_idx=0):  # type: ignore[no-untyped-def]
        found = super().predict_step(batch, batch_idx)
        targets = [row[mask][:-1].tolist() for row, mask in zip(batch.target_BM, batch.target_mask_BM, strict=True)]
        columns = batch.source.mask_BL.sum(1).tolist()
        looked = [rows[: len(tokens), :n] for rows, tokens, n in zip(self.align(batch), targets, columns, strict=True)]
        return {
            i: [found[i][0]._replace(tokens=tokens, alignment=rows)]
            for i, tokens, rows in zip(found, targets, looked, strict=True)
        }


def test_a_perfect_model_is_perfect(task: Translation, rnnsearch: EncoderDecoder) -> None:
    oracle = Oracle(rnnsearch.encoder, rnnsearch.decoder).eval()
    oracle.corpus = task
    numbers, exhibits = measured(oracle, task)
    assert numbers["val/bleu"] == pytest.approx(100)
    assert {numbers[f"val/{name}"]["0"] for name in ("noun_hits", "colour_hits", "crossings")} == {1.0}
    assert {numbers[f"val/{name}"]["-1"] for name in ("noun_hits", "colour_hits", "crossings")} == {0.0}
    assert numbers["val/alignment"]["largest_weight"] == pytest.approx(1)
    assert numbers["val/alignment"]["monotone_steps"] == pytest.approx(8 / 9)
    assert numbers["val/alignment_error"]["0"] < numbers["val/alignment_error_diagonal"]
    assert numbers["val/alignment_error"]["0"] < min(numbers["val/alignment_error"][shift] for shift in ("-1", "1"))
    assert numbers["val/articles"] == {"full": {"cases": 9, "determiner": 1, "noun": 0, "both": 0}}
    _, reference, translation = exhibits["translations"].rows[0]
    assert translation == reference
    shown = exhibits["alignments"]
    assert any(colour_nouns(shown.sources[0], shown.targets[0]))


def test_a_model_that_writes_nothing_has_no_alignment_to_show(task: Translation, rnnsearch: EncoderDecoder) -> None:
    with torch.no_grad():
        rnnsearch.decoder.vocabulary_layer.bias[EOS] = 100.0
    assert set(previewed(rnnsearch, task)) == {"translations"}


def test_what_is_shown_is_what_is_written_though_the_reference_is_another(
    task: Translation, rnnsearch: EncoderDecoder
) -> None:
    shown = previewed(rnnsearch, task)["alignments"]
    references = {" ".join(words) for words in task.parallel("val").target_words}
    assert not references & {" ".join(words) for words in shown.targets}


def test_translations_come_in_the_order_of_the_split(task: Translation, rnnsearch: EncoderDecoder) -> None:
    with torch.inference_mode():
        batched = translated(rnnsearch, task, list(task.evaluation("val")), beam=True)
        alone = translated(rnnsearch, task, list(task.evaluation("val", batch_size=1)), beam=True)
    assert batched == alone
    assert len(batched) == 9


def test_alignments_between_words_are_distributions(task: Translation, rnnsearch: EncoderDecoder) -> None:
    pairs = task.parallel("val")
    with torch.inference_mode():
        found = dict(alignments(rnnsearch, task, list(task.evaluation("val"))))
    assert sorted(found) == list(range(9))
    for number, weights in found.items():
        assert weights.shape == (len(pairs.target_words[number]) + 1, len(pairs.source_words[number]) + 1)
        assert weights.sum(1) == pytest.approx(np.ones(len(weights)), abs=1e-5)


def test_neighbours_are_joined_with_one_end() -> None:
    pairs = ParallelSplit([["a"], ["b"], ["c"]], [["x"], ["y"], ["z"]], [[5, EOS], [6, EOS], [7, EOS]], [[8, EOS]] * 3)
    assert neighbours(3, 2) == [[0, 1], [2]]
    two = joined(pairs, neighbours(3, 2))
    assert two.source_words == [["a", "b"], ["c"]]
    assert two.source_ids == [[5, 6, EOS], [7, EOS]]
    assert two.target_ids == [[8, 8, EOS], [8, EOS]]
    assert joined(pairs, neighbours(3, 1)) == pairs


def test_resampled_bleu_is_that_of_the_drawn_sentences() -> None:
    words = [["a", "b", "c", "d", "e"][: 5 - i % 3] for i in range(30)]
    references = [sentence if i % 4 else [*sentence, "x"] for i, sentence in enumerate(words)]
    rows = bleu_statistics(words, references)
    found = module.resampled_bleu(rows)
    draw = np.random.default_rng(0).integers(30, size=(module.RESAMPLES, 30))[3]
    expected = corpus_bleu([words[i] for i in draw], [references[i] for i in draw])
    assert found[3] == pytest.approx(expected, abs=0.006)
    assert found == module.resampled_bleu(bleu_statistics(words, references))
    assert np.mean(found) == pytest.approx(bleu_of(rows), abs=1)
    assert module.resampled_bleu(rows[:0]) == [0.0] * module.RESAMPLES


def test_joining_one_is_the_split_itself(task: Translation, rnnsearch: EncoderDecoder) -> None:
    with torch.inference_mode():
        words = translated(rnnsearch, task, list(task.evaluation("val")), beam=False)
        assert joined_bleu(rnnsearch, task, "val", 1) == pytest.approx(
            corpus_bleu(words, task.parallel("val").target_words)
        )


def test_untrained_weights_are_new_and_always_the_same(rnnsearch: EncoderDecoder) -> None:
    before = torch.get_rng_state()
    one, other = untrained(rnnsearch).state_dict(), untrained(rnnsearch).state_dict()
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert not torch.equal(one["decoder.attention.key.weight"], rnnsearch.decoder.attention.key.weight)


def test_other_directions_have_no_colours_to_cross(task: Translation, rnnsearch: EncoderDecoder) -> None:
    turned = Translation(
        source="fr", target="en", directory=task.corpus.directory, vocabulary=VOCABULARY, cache=task.cache
    )
    numbers, _ = measured(rnnsearch, turned)
    assert "val/alignment" in numbers
    assert "val/crossings" not in numbers
    assert "val/articles" not in numbers
    assert "val/alignment_error" in numbers


def test_pictures_prefer_sentences_that_fit() -> None:
    words = [["w"] * n for n in (3, 9, 40, 12)]
    pairs = ParallelSplit(words, words, [], [])
    assert module._worth_showing(pairs, colours=True) == [1, 3]
    assert module._worth_showing(ParallelSplit(words[:1], words[:1], [], []), colours=True) == [0]
