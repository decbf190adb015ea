"""BLEU from its statistics: the paper's formula, and sacrebleu's own number."""

import math
from collections import Counter

import numpy as np
import pytest
import sacrebleu

from augrnn.metrics.bleu import bleu_of, bleu_signature, bleu_statistics, corpus_bleu

HYPOTHESES = [line.split() for line in ["un homme en chemise rouge .", "deux chiens courent dans l' herbe", "la fin"]]
REFERENCES = [
    line.split() for line in ["un homme en chemise rouge .", "les chiens courent dans l' herbe .", "la fin ."]
]


def naive_bleu(hypotheses: list[list[str]], references: list[list[str]]) -> float:
    """Papineni et al. 2002, section 2.3, for one reference."""
    logs = 0.0
    for n in (1, 2, 3, 4):
        matches = total = 0
        for hypothesis, reference in zip(hypotheses, references, strict=True):
            ours, theirs = (
                Counter(tuple(w[i : i + n]) for i in range(len(w) - n + 1)) for w in (hypothesis, reference)
            )
            matches += sum(min(count, theirs[gram]) for gram, count in ours.items())
            total += sum(ours.values())
        logs += math.log(matches / total) / 4
    c, r = (sum(map(len, side)) for side in (hypotheses, references))
    return 100 * min(1.0, math.exp(1 - r / c)) * math.exp(logs)


def test_it_is_the_papers_number() -> None:
    assert corpus_bleu(HYPOTHESES, REFERENCES) == pytest.approx(naive_bleu(HYPOTHESES, REFERENCES))


@pytest.mark.parametrize("hypotheses", [HYPOTHESES, HYPOTHESES[::-1], [["un"], [], ["fin", "."]]])
def test_it_is_sacrebleus_number(hypotheses: list[list[str]]) -> None:
    lines, references = ([" ".join(words) for words in side] for side in (hypotheses, REFERENCES))
    theirs = sacrebleu.corpus_bleu(lines, [references], tokenize="none", force=True).score
    assert corpus_bleu(hypotheses, REFERENCES) == pytest.approx(theirs)


def test_statistics_of_any_sample_add_up() -> None:
    statistics = bleu_statistics(HYPOTHESES, REFERENCES)
    chosen = np.array([2, 0, 0])
    sample = [[side[i] for i in chosen] for side in (HYPOTHESES, REFERENCES)]
    assert bleu_of(statistics[chosen]) == pytest.approx(corpus_bleu(*sample))


def test_extremes() -> None:
    assert corpus_bleu(REFERENCES, REFERENCES) == pytest.approx(100)
    assert corpus_bleu([], []) == 0
    assert corpus_bleu([["x"]], [["y"]]) == 0


@pytest.mark.parametrize(
    ("hypotheses", "references"),
    [
        ([["chien"], ["chat"]], [["chien"], ["chat"]]),
        ([["un", "chien"], ["chat"]], [["un", "chien"], ["chat"]]),
        ([["un", "chien"], ["chat", "gris"]], [["un", "chat"], ["chat", "gris"]]),
        ([["un", "chien", "rouge"], []], [["un", "chien", "noir"], ["chat"]]),
    ],
)
def test_short_references_have_the_orders_that_they_have(
    hypotheses: list[list[str]], references: list[list[str]]
) -> None:
    lines = [[" ".join(words) for words in side] for side in (hypotheses, references)]
    theirs = sacrebleu.BLEU(tokenize="none", force=True, effective_order=True).corpus_score(lines[0], [lines[1]])
    found = corpus_bleu(hypotheses, references)
    assert found == pytest.approx(theirs.score)
    assert (found == pytest.approx(100)) == (hypotheses == references)
    assert "eff:yes" in bleu_signature(references)


def test_short_hypotheses_for_long_references_gain_nothing() -> None:
    assert corpus_bleu([["un"], ["deux", "chiens"]], REFERENCES[:2]) == 0


@pytest.mark.parametrize(
    ("tokenize", "hypothesis", "reference"),
    [
        ("zh", "他 不 会 用 windows 。", "她 不 会 用 windows 。"),
        ("zh", "猫 在 垫 子 上 睡 觉 。", "猫 在 床 上 睡 觉 。"),
        ("char", "こ れ は ペ ン で す 。", "こ れ は 本 で す 。"),
        ("char", "ส วั ส ดี", "ส วั ส"),
    ],
)
def test_characters_give_sacrebleus_number_on_the_raw_line(tokenize: str, hypothesis: str, reference: str) -> None:
    raw = [line.replace(" ", "") for line in (hypothesis, reference)]
    theirs = sacrebleu.corpus_bleu([raw[0]], [[raw[1]]], tokenize=tokenize).score
    assert corpus_bleu([hypothesis.split()], [reference.split()], tokenize) == pytest.approx(theirs)
    assert 0 < theirs < 100


def test_the_signature_says_what_words_are() -> None:
    assert {"tok:none", "eff:no", "smooth:exp", "nrefs:1"} <= set(bleu_signature(REFERENCES).split("|"))
    assert "version:" in bleu_signature(REFERENCES)
    assert "tok:zh" in bleu_signature([["他", "在", "用", "windows"]], "zh")
