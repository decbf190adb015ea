"""The metrics of captioning against the papers' equations, written out, and on Flickr8k's validation split."""

import gzip
import itertools
import math
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import sacrebleu

from augrnn.errors import UserError
from augrnn.metrics.bleu import bleu_of
from augrnn.metrics.captions import CaptionMetrics, constant_caption, human_row, paired_bootstrap
from augrnn.metrics.cider import CiderD, DocumentFrequencies
from augrnn.metrics.meteor import fewest_chunks, meteor_exact
from augrnn.metrics.rouge import common_subsequence, rouge_l

Words = list[list[str]]

WORDS = ["a", "dog", "runs", "red"]


def sentences(seed: int, images: int = 12) -> tuple[Words, list[Words]]:
    """Captions and one to five references of each image, of words that repeat."""
    rng = random.Random(seed)

    def one() -> list[str]:
        return [rng.choice(WORDS) for _ in range(rng.randint(1, 9))]

    return [one() for _ in range(images)], [[one() for _ in range(rng.randint(1, 5))] for _ in range(images)]


def grams(words: list[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def naive_bleu(hypotheses: Words, references: list[Words], order: int, penalised: bool) -> float:
    """Papineni et al. 2002, section 2: counts clipped by the largest of any reference, the closest reference length."""
    logs = 0.0
    for n in range(1, order + 1):
        clipped = total = 0
        for words, several in zip(hypotheses, references, strict=True):
            for gram in set(grams(words, n)):
                clipped += min(grams(words, n).count(gram), max(grams(each, n).count(gram) for each in several))
            total += len(grams(words, n))
        logs += math.log(clipped / total) / order
    c = sum(map(len, hypotheses))
    pairs = zip(hypotheses, references, strict=True)
    r = sum(min((abs(len(each) - len(words)), len(each)) for each in several)[1] for words, several in pairs)
    return 100 * math.exp(logs) * (math.exp(min(0.0, 1 - r / c)) if penalised else 1)


def naive_cider_d(caption: list[str], references: Words, corpus: list[Words]) -> float:
    """Vedantam et al. 2015, equations 1, 2 and 5, with vectors over all n-grams of the corpus; tf is the count."""
    total = 0.0
    for n in (1, 2, 3, 4):
        everything = sorted({gram for several in [*corpus, [caption]] for words in several for gram in grams(words, n)})
        holding = [sum(any(gram in grams(words, n) for words in several) for several in corpus) for gram in everything]
        idf = np.array([math.log(len(corpus) / max(1, each)) for each in holding])

        def vector(words: list[str], n: int = n, everything: list[tuple[str, ...]] = everything) -> np.ndarray:
            found = grams(words, n)
            return np.array([found.count(gram) for gram in everything], dtype=float)

        for words in references:
            ours, theirs = vector(caption) * idf, vector(words) * idf
            norms = np.linalg.norm(ours) * np.linalg.norm(theirs)
            cosine = np.minimum(ours, theirs) @ theirs / norms if norms else 0.0
            total += math.exp(-((len(caption) - len(words)) ** 2) / 72) * cosine / 4 / len(references)
    return 10 * total


def naive_subsequence(first: list[str], second: list[str]) -> int:
    for size in range(min(len(first), len(second)), 0, -1):
        of_second = set(itertools.combinations(second, size))
        if any(each in of_second for each in itertools.combinations(first, size)):
            return size
    return 0


def naive_chunks(first: list[str], second: list[str]) -> int:
    """Over every one-to-one matching of most words the fewest runs (Banerjee and Lavie 2005)."""
    most = sum((Counter(first) & Counter(second)).values())
    places = [[None, *(j for j, other in enumerate(second) if other == word)] for word in first]
    best = len(first)
    for choice in itertools.product(*places):
        used = [j for j in choice if j is not None]
        if len(used) == most == len(set(used)):
            starts = [i for i, j in enumerate(choice) if j is not None and (i == 0 or choice[i - 1] != j - 1)]
            best = min(best, len(starts))
    return best


@pytest.mark.parametrize("seed", range(3))
def test_every_metric_is_that_of_its_paper(seed: int) -> None:
    hypotheses, references = sentences(seed, 30)
    scores = CaptionMetrics(references, "").scores(hypotheses)
    table = scores.table()
    for order in (1, 2, 3, 4):
        for penalised, name in ((True, f"bleu{order}"), (False, f"bleu{order}_no_penalty")):
            assert table[name] == pytest.approx(naive_bleu(hypotheses, references, order, penalised))
    for words, several, cider, rouge in zip(hypotheses, references, scores.cider_N, scores.rouge_N, strict=True):
        assert cider == pytest.approx(naive_cider_d(words, several, references))
        common = [naive_subsequence(words, each) for each in several]
        precision = max(common) / len(words)
        recall = max(length / len(each) for length, each in zip(common, several, strict=True))
        f = (1 + 1.44) * precision * recall / (recall + 1.44 * precision) if max(common) else 0.0
        assert rouge == pytest.approx(f)
    assert table["cider_d"] == pytest.approx(np.mean(scores.cider_N))


def test_bleu_is_sacrebleus_where_all_have_as_many_references() -> None:
    hypotheses, references = sentences(0, 40)
    references = [(several * 5)[:3] for several in references]
    streams = [[" ".join(several[place]) for several in references] for place in range(3)]
    lines = [" ".join(words) for words in hypotheses]
    theirs = sacrebleu.corpus_bleu(lines, streams, tokenize="none", force=True).score
    assert CaptionMetrics(references, "").scores(hypotheses).table()["bleu4"] == pytest.approx(theirs)


def test_ragged_references_count_as_if_one_were_given_twice() -> None:
    hypotheses, references = sentences(1, 30)
    filled = [(several * 5)[:5] for several in references]
    bleu = [CaptionMetrics(each, "").scores(hypotheses).table()["bleu4"] for each in (references, filled)]
    assert bleu[0] == bleu[1] > 0


def test_a_tie_in_length_goes_to_the_shorter_reference() -> None:
    long, short = ["a"] * 12, ["a"] * 8
    for references in ([long, short], [short, long]):
        assert CaptionMetrics([references], "").scores([["a"] * 10]).bleu_N10[0, -1] == 8


# METEOR and ROUGE ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(60))
def test_chunks_are_the_fewest(seed: int) -> None:
    rng = random.Random(seed)
    first, second = ([rng.choice("abcd"[: rng.randint(2, 4)]) for _ in range(rng.randint(1, 7))] for _ in range(2))
    if set(first) & set(second):
        assert fewest_chunks(first, second) == naive_chunks(first, second)
    assert common_subsequence(first, second) == naive_subsequence(first, second)


def test_meteor_is_the_papers_formula() -> None:
    end = ["on", "the", "mat"]
    # 5 of 6 words match in 2 runs: "the cat" and "on the mat"
    caption, reference = ["the", "cat", "was", *end], ["the", "cat", "sat", *end]
    f = 10 * (5 / 6) * (5 / 6) / (5 / 6 + 9 * 5 / 6)
    assert meteor_exact(caption, [["no"], reference]) == pytest.approx(f * (1 - 0.5 * (2 / 5) ** 3))
    assert meteor_exact(["dog"], [reference]) == meteor_exact([], [reference]) == 0


def test_words_that_repeat_without_end_take_no_time() -> None:
    assert 1 <= fewest_chunks(["a", "b"] * 60, ["b", "a", "a"] * 40) <= 80


def test_rouge_reads_any_script() -> None:
    assert rouge_l(["собака", "бежит"], [["собака", "бежит"]]) == 1
    assert rouge_l(["mädchen"], [["hündchen"]]) == 0


# CIDEr-D -------------------------------------------------------------------------------------------------------------


def test_captions_that_are_their_references_have_ten_and_short_ones_less() -> None:
    references = [
        [[f"{letter}{place}" for place in range(length)]] for letter, length in zip("abcde", range(1, 6), strict=True)
    ]
    captions = [several[0] for several in references]
    assert CiderD(references).scores(captions).tolist() == pytest.approx([2.5, 5, 7.5, 10, 10])


def test_what_stands_with_every_image_weighs_nothing() -> None:
    template = [[["a", "red", "square", "is", "here"]]] * 3
    assert CiderD(template).scores([["a", "red", "square", "is", "here"]] * 3).tolist() == [0, 0, 0]
    one = [[["a", "dog"]]]
    assert CiderD(one).scores([["a", "dog"]]).tolist() == [0]
    larger = DocumentFrequencies([*one, [["the", "cat"]]])
    assert CiderD(one, larger).scores([["a", "dog"]]).tolist() == pytest.approx([5])


def test_frequencies_are_those_of_the_split_whatever_is_scored() -> None:
    hypotheses, references = sentences(3)
    metrics = CaptionMetrics(references, "")
    whole = metrics.scores(hypotheses).cider_N
    assert metrics.scores(hypotheses[4:7], [4, 5, 6]).cider_N.tolist() == whole[4:7].tolist()


def test_empty_captions_score_nothing_and_images_without_references_are_refused() -> None:
    table = CaptionMetrics([[["a", "dog"]], [["a", "cat"]]], "").scores([[], []]).table()
    assert set(table.values()) == {0.0}
    assert set(CaptionMetrics([], "").scores([]).table().values()) == {0.0}
    for bare in ([], [[]]):
        with pytest.raises(UserError, match="image 2 has no caption"):
            CaptionMetrics([[["a"]], bare], "")


# Rows, bootstrap, signature ------------------------------------------------------------------------------------------


def test_people_are_judged_by_the_other_captions() -> None:
    _, references = sentences(5, 30)
    row = human_row(references, "")
    judged = [each for each in references if len(each) > 2]
    rest = [[words for number, words in enumerate(each) if number != 2] for each in judged]
    several = [each for each in references if len(each) > 1]
    rows = []
    for place in range(5):
        chosen = [each for each in several if len(each) > place]
        others = [[words for number, words in enumerate(each) if number != place] for each in chosen]
        rows.append(naive_bleu([each[place] for each in chosen], others, 2, True))
    assert row["bleu2"] == pytest.approx(np.mean(rows))
    assert naive_bleu([each[2] for each in judged], rest, 2, True) == pytest.approx(rows[2])
    assert human_row([[["a"]]], "")["bleu4"] == 0


def test_the_constant_caption_is_the_best_of_all() -> None:
    captions, references = sentences(6, 30)
    candidates = [*captions, *(words for several in references for words in several)]
    found = constant_caption(candidates, references)
    every = [CaptionMetrics(references, "").scores([words] * 30).table()["bleu4"] for words in candidates]
    best = CaptionMetrics(references, "").scores([found] * 30).table()["bleu4"]
    assert best == pytest.approx(max(every))
    assert best > 0


def test_the_constant_caption_of_short_captions() -> None:
    red, blue = ["red", "disc"], ["blue", "disc"]
    assert constant_caption([red, blue], [[red], [blue], [blue]]) == blue


def test_longer_n_grams_count_where_any_reference_has_them() -> None:
    dog, long = ["dog"], ["a", "dog", "runs", "in", "snow"]
    for references, found, told in (([dog, long], 0.0, "eff:no"), ([dog, dog], 100.0, "eff:yes")):
        metrics = CaptionMetrics([references] * 2, "")
        assert metrics.scores([dog] * 2).table()["bleu4"] == pytest.approx(found)
        assert told in metrics.signatures()["bleu4"]


def test_the_bootstrap_pairs_images() -> None:
    hypotheses, references = sentences(7, 60)
    metrics = CaptionMetrics(references, "")
    worse = metrics.scores(hypotheses)
    pairs = zip(hypotheses, references, strict=True)
    better = metrics.scores([several[0] if i % 2 else words for i, (words, several) in enumerate(pairs)])
    found = paired_bootstrap(better.bleu_N10, worse.bleu_N10, bleu_of, 200)
    assert 0 < found.low < found.value < found.high
    assert found.value == pytest.approx(better.table()["bleu4"] - worse.table()["bleu4"])
    assert paired_bootstrap(better.bleu_N10, worse.bleu_N10, bleu_of, 200) == found
    none = paired_bootstrap(worse.cider_N, worse.cider_N, np.mean)
    assert none == (0, 0, 0)
    # of a mean the interval is that of the differences' mean
    shift = paired_bootstrap(worse.cider_N + 1, worse.cider_N, np.mean)
    assert shift == pytest.approx((1, 1, 1))
    with pytest.raises(UserError, match="60 and 59"):
        paired_bootstrap(worse.cider_N, worse.cider_N[1:], np.mean)


def test_signatures_say_what_was_measured() -> None:
    signatures = CaptionMetrics(
        [[["a"] * 5] * 4, [["b"] * 5] * 5], "case:lower|punctuation:kept|tok:spaces"
    ).signatures()
    assert set(signatures) == set(CaptionMetrics([], "").scores([]).table())
    assert all("nrefs:4-5|case:lower|punctuation:kept|tok:spaces" in each for each in signatures.values())
    assert "bp:closest" in signatures["bleu4"]
    assert "bp:none" in signatures["bleu4_no_penalty"]
    assert "df:references of these 2 images" in signatures["cider_d"]
    assert "matches:exact" in signatures["meteor_exact"]


# Flickr8k ------------------------------------------------------------------------------------------------------------


HUMAN = {"bleu1": 66.791, "bleu2": 46.865, "bleu3": 32.561, "bleu4": 22.593, "rouge_l": 0.531, "cider_d": 0.840}


@pytest.mark.data
def test_people_on_flickr8k_are_where_the_public_scorer_puts_them(data_root: Path) -> None:
    """The numbers are what coco-caption's own BLEU, ROUGE-L and CIDEr-D gave on the same words (validation split)."""
    if not (folder := data_root / "flickr8k").is_dir():
        pytest.skip("no flickr8k among the data")
    names = gzip.decompress((folder / "Flickr_8k.devImages.txt.gz").read_bytes()).decode().split()
    found: dict[str, Words] = {name: [] for name in names}
    for line in gzip.decompress((folder / "Flickr8k.token.txt.gz").read_bytes()).decode().splitlines():
        name, caption = line.split("\t")
        if (name := name.split("#")[0]) in found:
            found[name].append(caption.lower().split())
    row = human_row(list(found.values()), "")
    assert {name: round(row[name], 3) for name in HUMAN} == HUMAN
