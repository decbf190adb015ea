import copy
import itertools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from augrnn import kernels
from augrnn.attention.additive import AdditiveAttention
from augrnn.attention.attention import Annotations, Look
from augrnn.attention.hard import Decoding, HardAttention
from augrnn.cells.lstm import LSTM
from augrnn.cells.unroll import unroll
from augrnn.decoders.attentive import AttentiveDecoder
from augrnn.decoders.captioning import CaptionDecoder, CaptionState
from augrnn.decoders.conditional_gru import ConditionalDecoder
from augrnn.decoders.decoder import Decoder, DecoderState
from augrnn.products import pack
from augrnn.search.beam_search import _Beam, _best, beam_search, length_penalty
from augrnn.search.greedy import greedy
from augrnn.search.model import Ensemble, Hypothesis, Model, Scores, Speller, Walk, log_probabilities
from augrnn.text.token_batches import BOS, EOS, PAD, UNK

VOCABULARY, HIDDEN = 7, 6
WORDS = [token for token in range(VOCABULARY) if token not in (PAD, BOS, EOS)]


def speller(seed: int = 0, sharpness: float = 3.0) -> Speller:
    """A small decoder in double precision whose next words differ enough to be interesting."""
    torch.manual_seed(seed)
    cell = AttentiveDecoder(VOCABULARY, 3, HIDDEN, 2, AdditiveAttention(HIDDEN, 4, 5)).double().eval()
    cell.requires_grad_(False)
    cell.vocabulary_layer.weight *= sharpness
    cell.embedding.weight *= sharpness
    return Speller(cell, cell.embed, cell.logits)


def states(model: Speller, lengths: list[int], padding: int = 0) -> DecoderState:
    """Where a target starts for some random sources, the same ones whatever the padding."""
    generator = torch.Generator().manual_seed(1)
    values_BLD = 2 * torch.randn(len(lengths), 40, 4, generator=generator).to(model.cell.embedding.weight)
    start_BS = torch.randn(len(lengths), 2, generator=generator).to(model.cell.embedding.weight)
    columns = max(lengths) + padding
    mask_BL = torch.arange(columns) < torch.tensor(lengths)[:, None]
    return model.cell.start(Annotations(values_BLD[:, :columns], mask_BL, start_BS, start_BS))


def only(state: DecoderState, row: int) -> DecoderState:
    return pytree.tree_map(lambda leaf: leaf[row : row + 1], state)


def probabilities(model: Speller, state: DecoderState, tokens: list[int]) -> list[float]:
    """Of each of these tokens after those before it, PAD and BOS being impossible, by stepping one sentence."""
    found = []
    for previous, token in itertools.pairwise([BOS, *tokens]):
        y_BJ, state = model.cell(model.embed(torch.tensor([previous])), state)
        scores = [math.exp(score) for score in model.logits(y_BJ)[0].tolist()]
        found.append(scores[token] / sum(scores[word] for word in (*WORDS, EOS)))
    return found


def log_probability(model: Speller, state: DecoderState, tokens: list[int]) -> float:
    return mean_log_probability([model], [state], tokens)


def mean_log_probability(models: Sequence[Speller], states: Sequence[DecoderState], tokens: list[int]) -> float:
    """Of these tokens one after the other, the probability of each being the mean of the models'."""
    steps = zip(*(probabilities(m, state, tokens) for m, state in zip(models, states, strict=True)), strict=True)
    return sum(math.log(sum(step) / len(step)) for step in steps)


def everything(
    models: Sequence[Speller], states: Sequence[DecoderState], limit: int, alpha: float
) -> list[tuple[float, list[int]]]:
    """Every target of at most `limit` tokens with its score, the best first."""
    ended = [[*words, EOS] for n in range(limit) for words in itertools.product(WORDS, repeat=n)]
    cut = [list(words) for words in itertools.product(WORDS, repeat=limit)]
    scored = [(mean_log_probability(models, states, t) / ((5 + len(t)) / 6) ** alpha, t) for t in ended + cut]
    return sorted(scored, reverse=True)


def same(ours: list[Hypothesis], theirs: list[Hypothesis], columns: int | None = None) -> None:
    assert [hypothesis.tokens for hypothesis in ours] == [hypothesis.tokens for hypothesis in theirs]
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.score == pytest.approx(other.score)
        assert mine.log_probability == pytest.approx(other.log_probability)
        torch.testing.assert_close(mine.alignment[:, :columns], other.alignment[:, :columns])


@pytest.mark.parametrize("alpha", [0.0, 1.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_beam_as_wide_as_there_are_targets_is_exhaustive(alpha: float, seed: int) -> None:
    model, lengths, limit = speller(seed, 1.0), [3, 1], 3
    state, targets = states(model, lengths), sum(len(WORDS) ** n for n in range(limit)) + len(WORDS) ** limit
    found = beam_search(model, state, torch.full((2,), limit), beam=targets, alpha=alpha, best=10)
    for row, best in enumerate(found):
        for hypothesis, (score, tokens) in zip(
            best, everything([model], [only(state, row)], limit, alpha)[:10], strict=True
        ):
            assert hypothesis.tokens == [token for token in tokens if token != EOS]
            assert hypothesis.score == pytest.approx(score)
            assert hypothesis.log_probability == pytest.approx(log_probability(model, only(state, row), tokens))


def test_a_beam_wider_than_there_are_targets_gives_each_of_them_once() -> None:
    model = speller()
    [found] = beam_search(model, states(model, [2]), torch.tensor([1]), beam=50, best=50)
    assert sorted(hypothesis.tokens for hypothesis in found) == [[], *([word] for word in WORDS)]


@settings(max_examples=15)
@given(seed=st.integers(0, 1000), alpha=st.sampled_from([0.0, 0.6, 2.0]), limit=st.integers(1, 12))
def test_a_beam_of_one_is_greedy(seed: int, alpha: float, limit: int) -> None:
    model, limit_B = speller(seed), torch.tensor([limit, limit + 3, 1])
    state = states(model, [4, 2, 7])
    one = [best for [best] in beam_search(model, state, limit_B, beam=1, alpha=alpha)]
    most = greedy(model, state, limit_B)
    assert [hypothesis.tokens for hypothesis in one] == [hypothesis.tokens for hypothesis in most]
    for mine, other in zip(one, most, strict=True):
        assert mine.log_probability == pytest.approx(other.log_probability)
        torch.testing.assert_close(mine.alignment, other.alignment)


@pytest.mark.parametrize("seed", range(3))
def test_the_result_depends_neither_on_the_batch_nor_on_padding(seed: int) -> None:
    model = speller(seed)
    lengths = torch.randint(1, 12, (64,), generator=torch.Generator().manual_seed(seed)).tolist()
    limit_B, options = torch.tensor(lengths) + 3, {"beam": 4, "alpha": 0.6, "best": 3}
    together = beam_search(model, states(model, lengths, padding=5), limit_B, **options)
    greedily = greedy(model, states(model, lengths, padding=5), limit_B)
    state = states(model, lengths)
    for row, length in enumerate(lengths):
        [alone] = beam_search(model, only(state, row), limit_B[row : row + 1], **options)
        same(together[row], alone, length)
        same([greedily[row]], greedy(model, only(state, row), limit_B[row : row + 1]), length)


def naive(model: Speller, state: DecoderState, limit: int, beam: int, alpha: float, best: int) -> list[Hypothesis]:
    """Beam search of one sentence with lists, one hypothesis after the other."""

    class Path(NamedTuple):
        total: float
        tokens: list[int]
        looked: list[Tensor]
        state: DecoderState

        @property
        def ended(self) -> bool:
            return self.tokens[-1:] == [EOS] or len(self.tokens) >= limit

        def scored(self, length: int) -> float:
            return self.total / ((5 + length) / 6) ** alpha

    paths = [Path(0.0, [], [], state)]
    while not all(path.ended for path in paths):
        scores = sorted((path.scored(len(path.tokens)) for path in paths if path.ended), reverse=True)
        if len(scores) >= best and scores[best - 1] >= max(p.scored(limit) for p in paths if not p.ended):
            break
        longer = []
        for path in paths:
            if not path.ended:
                y_BJ, after = model.cell(model.embed(torch.tensor([[BOS, *path.tokens][-1]])), path.state)
                scores_V = model.logits(y_BJ)[0].index_fill(0, torch.tensor([PAD, BOS]), -torch.inf).log_softmax(0)
                for token in [token for token in range(len(scores_V)) if token not in (PAD, BOS)]:
                    looked = [*path.looked, after.alignment_BL[0]]
                    longer.append(Path(path.total + scores_V[token].item(), [*path.tokens, token], looked, after))
        ended = [path for path in paths if path.ended]
        longer.sort(key=lambda path: path.total, reverse=True)
        paths = ended + longer[: beam - len(ended)]
    paths.sort(key=lambda path: path.scored(len(path.tokens)), reverse=True)
    found = []
    for path in paths[:best]:
        words = [token for token in path.tokens if token != EOS]
        looked = torch.stack(path.looked)[: len(words)] if words else torch.zeros(0, state.alignment_BL.shape[1])
        found.append(Hypothesis(words, path.scored(len(path.tokens)), path.total, looked.double()))
    return found


@pytest.mark.parametrize(
    ("seed", "ending", "beam", "alpha", "best"),
    [(0, 0.0, 4, 0.6, 4), (1, -30.0, 3, 1.0, 2), (2, 3.0, 5, 0.0, 1), (3, 0.0, 12, 1.0, 3), (4, -2.0, 1, 0.0, 1)],
)
def test_it_is_the_search_of_each_sentence_by_itself(
    seed: int, ending: float, beam: int, alpha: float, best: int
) -> None:
    model, lengths = speller(seed), [3, 9, 1, 4, 4, 2]
    model.cell.vocabulary_layer.bias[EOS] += ending
    limits = [7, 20, 1, 2, 9, 14]
    state = states(model, lengths)
    found = beam_search(model, state, torch.tensor(limits), beam, alpha, best)
    for row, limit in enumerate(limits):
        same(found[row], naive(model, only(state, row), limit, beam, alpha, best))


class Watched(NamedTuple):
    """A model that notes how many rows each step has, and which tensors hold the source."""

    inner: Speller
    rows: list[int]
    sources: list[Tensor]

    def walk(self, state: DecoderState) -> Walk:
        def embed(words_N: Tensor) -> Tensor:
            self.rows.append(len(words_N))
            return self.inner.embed(words_N)

        def step(p_NP: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
            self.sources.append(state.attended.values_BLD)
            return own(p_NP, state)

        own, self.inner.cell.step = self.inner.cell.step, step
        return self.inner._replace(embed=embed).walk(state)


@pytest.mark.parametrize("limits", [[1, 3, 6], [6, 1, 1], [2, 2, 2]])
def test_finished_sentences_leave_the_batch(limits: list[int]) -> None:
    model = speller()
    model.cell.vocabulary_layer.bias[EOS] = -100.0
    watched = Watched(model, [], [])
    beam_search(watched, states(model, [5, 3, 4]), torch.tensor(limits), beam=4)
    going = [sum(limit > step for limit in limits) for step in range(max(limits))]
    assert watched.rows == [going[0], *(4 * sentences for sentences in going[1:])]


def test_the_source_is_copied_only_when_rows_come_or_go() -> None:
    model = speller()
    model.cell.vocabulary_layer.bias[EOS] = -100.0
    watched = Watched(model, [], [])
    beam_search(watched, states(model, [5, 3]), torch.tensor([2, 6]), beam=4)
    assert [len(source) for source in watched.sources] == [2, 8, 4, 4, 4, 4]
    assert len({id(source) for source in watched.sources}) == 3


def test_a_batch_of_nothing_finds_nothing() -> None:
    model = speller()
    none = pytree.tree_map(lambda leaf: leaf[:0], states(model, [3]))
    assert beam_search(model, none, torch.tensor([], dtype=torch.long), beam=3) == []


def test_wider_beams_find_no_worse() -> None:
    model, lengths = speller(5), [5] * 16
    scores = [
        [best.score for [best] in beam_search(model, states(model, lengths), torch.full((16,), 6), beam, 1.0)]
        for beam in (1, 200)
    ]
    assert all(wide >= narrow - 1e-9 for narrow, wide in zip(*scores, strict=True))
    assert scores[0] != scores[1]


def test_stopping_early_loses_nothing() -> None:
    model, lengths, limit_B = speller(3), [6] * 8, torch.full((8,), 9)
    few = beam_search(model, states(model, lengths), limit_B, beam=20, alpha=1.0, best=2)
    all_ended = beam_search(model, states(model, lengths), limit_B, beam=20, alpha=1.0, best=20)
    for best, ranked in zip(few, all_ended, strict=True):
        same(best, ranked[:2])


def test_best_ones_are_ranked_and_scored_as_they_say() -> None:
    model, state = speller(), states(speller(), [4, 6])
    for row, best in enumerate(beam_search(model, state, torch.full((2,), 8), beam=6, alpha=0.6, best=6)):
        scores = [hypothesis.score for hypothesis in best]
        assert scores == sorted(scores, reverse=True)
        assert len({tuple(hypothesis.tokens) for hypothesis in best}) == len(best)
        for hypothesis in best[:2]:
            ended = [*hypothesis.tokens, EOS] if len(hypothesis.tokens) < 8 else hypothesis.tokens
            expected = log_probability(model, only(state, row), ended)
            assert hypothesis.log_probability == pytest.approx(expected)
            assert hypothesis.score == pytest.approx(expected / length_penalty(torch.tensor(len(ended)), 0.6).item())


def test_alignments_are_those_of_the_tokens_given_one_after_the_other() -> None:
    model, state = speller(2), states(speller(2), [5, 3])
    for row, best in enumerate(beam_search(model, state, torch.full((2,), 7), beam=5, best=3)):
        for hypothesis in best:
            assert len(hypothesis.alignment) == len(hypothesis.tokens)
            previous_M1 = torch.tensor([[token] for token in [BOS, *hypothesis.tokens]])
            trace = unroll(model.cell, model.embed(previous_M1), only(state, row), keep=True).trace
            torch.testing.assert_close(hypothesis.alignment, trace.alignment_BL[:-1, 0])


def test_limits_cut_each_sentence_by_itself_and_special_tokens_never_come() -> None:
    model = speller()
    model.cell.vocabulary_layer.bias[[PAD, BOS]] = 100.0
    model.cell.vocabulary_layer.bias[EOS] = -100.0
    limit_B = torch.tensor([1, 5, 3])
    for found in (
        greedy(model, states(model, [3, 3, 3]), limit_B),
        beam_search(model, states(model, [3, 3, 3]), limit_B, 3),
    ):
        hypotheses = [best if isinstance(best, Hypothesis) else best[0] for best in found]
        assert [len(hypothesis.tokens) for hypothesis in hypotheses] == limit_B.tolist()
        assert {token for hypothesis in hypotheses for token in hypothesis.tokens} <= {UNK, *WORDS}


def test_any_cell_will_do() -> None:
    torch.manual_seed(0)
    cell, embedding = LSTM(3, 5, VOCABULARY).double().eval(), nn.Embedding(VOCABULARY, 3).double()
    model = Speller(cell, embedding, nn.Identity())
    [[best], _] = beam_search(model, cell.initial_state(2), torch.tensor([4, 4]), beam=3)
    assert best.alignment.shape == (len(best.tokens), 0)


def test_length_penalty_is_the_papers() -> None:
    lengths = torch.tensor([1.0, 7.0])
    expected: Tensor = torch.tensor([1.0, 2.0**0.6])
    torch.testing.assert_close(length_penalty(lengths, 0.6), expected)
    assert torch.equal(length_penalty(lengths, 0.0), torch.ones(2))


# Several models ------------------------------------------------------------------------------------------------------


def both_ways(model: Model, state: object) -> list[Hypothesis]:
    """What greedy search finds, then the best two of beam search."""
    limit_B = torch.tensor([6, 9, 1])
    found = beam_search(model, state, limit_B, beam=4, alpha=0.6, best=2)
    return greedy(model, state, limit_B) + [hypothesis for best in found for hypothesis in best]


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_an_ensemble_searches_the_mean_of_the_members_probabilities(alpha: float) -> None:
    models, lengths, limit = [speller(seed, 1.0) for seed in (0, 1, 4)], [3, 2], 3
    starts, targets = [states(model, lengths) for model in models], sum(len(WORDS) ** n for n in range(limit + 1))
    found = beam_search(Ensemble(tuple(models)), tuple(starts), torch.full((2,), limit), targets, alpha, best=10)
    for row, best in enumerate(found):
        expected = everything(models, [only(state, row) for state in starts], limit, alpha)
        for hypothesis, (score, tokens) in zip(best, expected[:10], strict=True):
            assert hypothesis.tokens == [token for token in tokens if token != EOS]
            assert hypothesis.score == pytest.approx(score)


def test_the_alignment_of_an_ensemble_is_the_mean_of_the_members() -> None:
    models = [speller(0), speller(3)]
    starts = [states(model, [5, 3]) for model in models]
    for row, [best] in enumerate(beam_search(Ensemble(tuple(models)), tuple(starts), torch.full((2,), 7), beam=5)):
        previous_M1 = torch.tensor([[token] for token in [BOS, *best.tokens]])
        traces = [
            unroll(model.cell, model.embed(previous_M1), only(state, row), keep=True).trace.alignment_BL[:-1, 0]
            for model, state in zip(models, starts, strict=True)
        ]
        torch.testing.assert_close(best.alignment, (traces[0] + traces[1]) / 2)


def test_an_ensemble_of_one_is_its_member_bit_for_bit() -> None:
    model = speller(2)
    state = states(model, [4, 2, 7])
    for ours, theirs in zip(both_ways(Ensemble((model,)), (state,)), both_ways(model, state), strict=True):
        assert ours[:3] == theirs[:3]
        assert torch.equal(ours.alignment, theirs.alignment)


def test_an_ensemble_of_copies_is_the_model() -> None:
    model = speller(2)
    state = states(model, [4, 2, 7])
    same(both_ways(Ensemble((model,) * 2), (state,) * 2), both_ways(model, state))


def test_a_member_that_looks_nowhere_has_no_say_in_where_the_ensemble_looks() -> None:
    class Blind(NamedTuple):
        """A model that attends to nothing, as one with a fixed context does."""

        inner: Speller

        def walk(self, state: Any) -> Walk:
            walk = self.inner.walk(state)
            shown = walk.alignment
            walk.alignment = lambda: torch.zeros_like(shown())  # type: ignore[method-assign]
            return walk

    model = speller(2)
    state = states(model, [4, 2, 7])
    same(both_ways(Ensemble((model, Blind(model))), (state,) * 2), both_ways(model, state))
    nowhere = both_ways(Ensemble((Blind(model),) * 2), (state,) * 2)
    assert all(not hypothesis.alignment.any() for hypothesis in nowhere)


def test_members_may_be_of_any_sizes() -> None:
    torch.manual_seed(0)
    cells = [LSTM(size, 5, VOCABULARY).double().eval() for size in (3, 4)]
    embeddings = [nn.Embedding(VOCABULARY, size).double() for size in (3, 4)]
    model = Ensemble(tuple(Speller(*pair, nn.Identity()) for pair in zip(cells, embeddings, strict=True)))
    [[best], _] = beam_search(model, tuple(cell.initial_state(2) for cell in cells), torch.tensor([4, 4]), beam=3)
    assert best.alignment.shape == (len(best.tokens), 0)


# In C++ ---------------------------------------------------------------------------------------------------------------


CPP_VOCABULARY = 50


def cpp_spellers() -> dict[str, Speller]:
    """Decoders whose words are scored in more than one panel."""
    found = {}
    for seed, kind in enumerate((AttentiveDecoder, ConditionalDecoder)):
        torch.manual_seed(seed)
        cell = kind(CPP_VOCABULARY, 3, HIDDEN, 2, AdditiveAttention(HIDDEN, 4, 5)).eval()
        cell.requires_grad_(False)
        cell.vocabulary_layer.weight *= 3
        cell.embedding.weight *= 3
        cell.vocabulary_layer.bias[EOS] += 1.5
        found[kind.__name__] = Speller(cell, cell.embed, cell.logits)
    return found


@pytest.mark.usefixtures("compiled_functions")
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 50),
    beam=st.integers(1, 12),
    alpha=st.sampled_from([0.0, 1.0]),
    limits=st.lists(st.integers(0, 6), min_size=0, max_size=4),
)
def test_in_cpp_it_finds_what_it_finds_with_torch(seed: int, beam: int, alpha: float, limits: list[int]) -> None:
    model = speller(seed)
    model.cell.float()
    state = pytree.tree_map(lambda leaf: leaf[: len(limits)], states(model, [3, 5, 1, 4]))
    found = in_cpp_and_with_torch(model, state, torch.tensor(limits, dtype=torch.long), beam, alpha)
    for mine, theirs in zip(*found, strict=True):
        assert len({tuple(each.tokens) for each in mine}) == len(mine)
        alike(mine, theirs)


def in_cpp_and_with_torch(
    model: Model, state: Any, limit_B: Tensor, beam: int, alpha: float
) -> list[list[list[Hypothesis]]]:
    found = []
    for torchs in (False, True):
        with pytest.MonkeyPatch.context() as patch:
            if torchs:
                patch.setattr(kernels, "possible", lambda *arrays: False)
                for kind in (AttentiveDecoder, ConditionalDecoder):
                    patch.setattr(kind, "rows", Decoder.rows)
            found.append(beam_search(model, state, limit_B, beam, alpha, best=beam))
    return found


def alike(mine: list[Hypothesis], theirs: list[Hypothesis]) -> None:
    assert [each.tokens for each in mine] == [each.tokens for each in theirs]
    for one, other in zip(mine, theirs, strict=True):
        assert one.score == pytest.approx(other.score, rel=1e-4, abs=1e-5)
        assert one.log_probability == pytest.approx(other.log_probability, rel=1e-4, abs=1e-5)
        torch.testing.assert_close(one.alignment.float(), other.alignment.float(), rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures("compiled_functions")
@pytest.mark.parametrize("name", cpp_spellers())
@pytest.mark.parametrize(("beam", "alpha", "best"), [(5, 0.0, 1), (8, 1.0, 3), (1, 0.0, 1)])
def test_in_cpp_it_is_the_search_of_each_sentence_by_itself(name: str, beam: int, alpha: float, best: int) -> None:
    model, limits = cpp_spellers()[name], [7, 12, 1, 2, 9]
    state = states(model, [3, 9, 1, 4, 4])
    with torch.no_grad():
        assert model.cell.rows(state)
    found = beam_search(model, state, torch.tensor(limits), beam, alpha, best)
    wide = model._replace(cell=copy.deepcopy(model.cell).double())
    wide = wide._replace(embed=wide.cell.embed, logits=wide.cell.logits)
    start = pytree.tree_map(lambda leaf: leaf.double() if leaf.is_floating_point() else leaf, state)
    for row, limit in enumerate(limits):
        alike(found[row], naive(wide, only(start, row), limit, beam, alpha, best))


@pytest.mark.usefixtures("compiled_functions")
@pytest.mark.parametrize("beam", [1, 7])
def test_in_cpp_an_ensemble_finds_what_it_finds_with_torch(beam: int) -> None:
    models = tuple(cpp_spellers().values())
    starts = tuple(states(model, [3, 9, 1]) for model in models)
    for mine, theirs in zip(
        *in_cpp_and_with_torch(Ensemble(models), starts, torch.tensor([6, 2, 9]), beam, 0.6), strict=True
    ):
        alike(mine, theirs)


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_hypotheses_that_are_done_take_no_step(monkeypatch: pytest.MonkeyPatch, alpha: float) -> None:
    monkeypatch.setattr("augrnn.search.beam_search.FEW", 0)
    model, limits = speller(2), [7, 12, 1, 2]
    model.cell.vocabulary_layer.bias[EOS] += 2
    state, steps = states(model, [3, 9, 1, 4]), 0

    def counted(words_B: Tensor) -> Tensor:
        nonlocal steps
        steps += len(words_B)
        return model.cell.embed(words_B)

    watched = model._replace(embed=counted)
    found = beam_search(watched, state, torch.tensor(limits), 6, alpha)
    taken, steps = steps, 0
    for row, limit in enumerate(limits):
        same(found[row], naive(watched, only(state, row), limit, 6, alpha, 1))
    assert taken == steps


@pytest.mark.usefixtures("compiled_functions")
@pytest.mark.parametrize("room", [1, 5, 26, 1000])
def test_in_cpp_the_best_by_a_vocabulary_are_torchs(monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    torch.manual_seed(0)
    monkeypatch.setattr("augrnn.search.beam_search.ROOM", room)
    sentences, beam, words = 5, 4, 301
    layer, total_N = nn.Linear(9, words).requires_grad_(False), -3 * torch.rand(sentences * beam)
    total_N[[5, 7]] = -torch.inf
    done_N = torch.isin(torch.arange(sentences * beam), torch.tensor([0, 6, 8, 9, 10, 11, 15]))
    place_N = torch.arange(sentences * beam)
    place_R = (~done_N & total_N.isfinite() | (place_N == 6)).nonzero()[:, 0]  # one that is done is stepped too
    row_N = torch.full_like(place_N, -1)
    row_N[place_R] = torch.arange(len(place_R))
    now = _Beam(place_N, row_N, place_N, place_N, place_N, total_N, place_N, done_N)
    outputs_RJ = 2 * torch.randn(len(place_R), 9)
    given = Scores(outputs_RJ, lambda y_RJ: log_probabilities(layer(y_RJ)), pack(layer.weight.t(), layer.bias))
    with torch.no_grad():
        mine = _best(now, given, beam)
        listed = _best(now, given._replace(vocabulary=None), beam)
        monkeypatch.setattr(kernels, "possible", lambda *arrays: False)
        theirs = _best(now, given, beam)
    for found in (mine, listed):  # torch gives those that are done, which are first, in any order
        ours, expected = (sorted(zip(*(part.tolist() for part in three), strict=True)) for three in (found, theirs))
        assert [each[:2] for each in ours] == [each[:2] for each in expected]
        assert [each[2] for each in ours] == pytest.approx([each[2] for each in expected])


@pytest.mark.usefixtures("compiled_functions")
def test_in_cpp_the_best_are_torchs() -> None:
    torch.manual_seed(0)
    log_p_NV, total_N = torch.randn(3 * 12, 700).log_softmax(-1), -3 * torch.rand(3 * 12)
    total_N[5] = total_N[13] = -torch.inf
    done_N = torch.arange(3 * 12) % 5 == 0
    row_N = torch.arange(3 * 12)
    now = _Beam(row_N, row_N, row_N, row_N, row_N, total_N, row_N, done_N)
    with torch.no_grad():
        rows_N, words_N, best_N = _best(now, Scores(log_p_NV, lambda given: given), 12)
    for s in range(3):
        expected = [
            (math.inf, float(total_N[n])) for n in range(12 * s, 12 * s + 12) if done_N[n] and total_N[n] > -100
        ]
        live = [n for n in range(12 * s, 12 * s + 12) if not done_N[n]]
        sums = (total_N[live, None] + log_p_NV[live]).flatten().sort(descending=True).values
        expected += [(0.0, float(total)) for total in sums[: 12 - len(expected)]]
        assert best_N[12 * s : 12 * s + 12].tolist() == [total for _, total in expected]
    for n, v, total in zip(rows_N.tolist(), words_N.tolist(), best_N.tolist(), strict=True):
        assert total == (float(total_N[n]) if done_N[n] else float(total_N[n] + log_p_NV[n, v]))
        assert not done_N[n] or v == PAD


# Captions ------------------------------------------------------------------------------------------------------------


def captioner() -> tuple[Speller, CaptionState]:
    torch.manual_seed(3)
    cell = CaptionDecoder(VOCABULARY, 3, HIDDEN, 2, HardAttention(AdditiveAttention(HIDDEN, 4, 5))).double().eval()
    cell.requires_grad_(False)
    for layer in (cell.vocabulary_layer, cell.embedding, cell.attention.attention.energy):
        layer.weight *= 4
    model = Speller(cell, cell.embed, cell.logits)
    return model, states(model, [9, 9, 9, 9])


@pytest.mark.parametrize("decoding", ["expectation", "argmax"])
def test_captions_are_those_of_each_picture_by_itself(decoding: Decoding) -> None:
    model, _ = captioner()
    with model.cell.attention.decoded_by(decoding):
        state = states(model, [9, 9, 9, 9])
        found = beam_search(model, state, torch.tensor([7, 3, 1, 9]), 5, 1.0, 2)
        for row, limit in enumerate([7, 3, 1, 9]):
            same(found[row], naive(model, only(state, row), limit, 5, 1.0, 2))


def test_places_that_are_drawn_go_with_the_words_they_made() -> None:
    model, _ = captioner()
    with model.cell.attention.decoded_by("sample"):
        state = states(model, [9, 9, 9, 9])
        found = beam_search(model, state, torch.tensor([7, 3, 1, 9]), 5, 1.0, 2)
    places = set()
    for row, hypothesis in ((row, each) for row, best in enumerate(found) for each in best):
        assert set(hypothesis.alignment.flatten().tolist()) <= {0.0, 1.0}
        assert torch.equal(hypothesis.alignment.sum(1), torch.ones(len(hypothesis.tokens)).double())
        places |= set(hypothesis.alignment.argmax(1).tolist())
        total, now = 0.0, only(state, row)
        for previous, token, map_L in zip(
            [BOS, *hypothesis.tokens], hypothesis.tokens, hypothesis.alignment, strict=False
        ):
            with pytest.MonkeyPatch.context() as patch:
                seen_1D = map_L @ now.attended.values_BLD
                patch.setattr(model.cell.attention, "look", lambda *_, it=(seen_1D, map_L, map_L): Look(*it))
                y_BJ, now = model.cell(model.embed(torch.tensor([previous])), now)
            total += float(log_probabilities(model.logits(y_BJ))[0, token])
        if len(hypothesis.tokens) == [7, 3, 1, 9][row]:  # cut by its limit, without the end of the sentence
            assert hypothesis.log_probability == pytest.approx(total)
        else:
            assert hypothesis.log_probability <= total + 1e-9
    assert len(places) > 1
