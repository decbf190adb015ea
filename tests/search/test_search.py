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
from augrnn.attention.attention import Annotations
from augrnn.cells.lstm import LSTM
from augrnn.cells.unroll import unroll
from augrnn.decoders.attentive import AttentiveDecoder
from augrnn.decoders.decoder import DecoderState
from augrnn.search.beam_search import _Beam, _best, beam_search, length_penalty
from augrnn.search.greedy import greedy
from augrnn.search.model import Ensemble, Hypothesis, Model, Speller
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
    values_BLD = 2 * torch.randn(len(lengths), 40, 4, generator=generator).double()
    start_BS = torch.randn(len(lengths), 2, generator=generator).double()
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
                for token in (*WORDS, EOS):
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

    def next(self, words_N: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
        self.rows.append(len(words_N))
        self.sources.append(state.attended.values_BLD)
        return self.inner.next(words_N, state)

    def alignment(self, state: DecoderState) -> Tensor:
        return self.inner.alignment(state)


@pytest.mark.parametrize("limits", [[1, 3, 6], [6, 1, 1], [2, 2, 2]])
def test_finished_sentences_leave_the_batch(limits: list[int]) -> None:
    model = speller()
    model.cell.vocabulary_layer.bias[EOS] = -100.0
    watched = Watched(model, [], [])
    beam_search(watched, states(model, [5, 3, 4]), torch.tensor(limits), beam=4)
    assert watched.rows == [4 * sum(limit > step for limit in limits) for step in range(max(limits))]


def test_the_source_is_copied_only_when_a_sentence_leaves() -> None:
    model = speller()
    model.cell.vocabulary_layer.bias[EOS] = -100.0
    watched = Watched(model, [], [])
    beam_search(watched, states(model, [5, 3]), torch.tensor([2, 6]), beam=4)
    assert len({id(source) for source in watched.sources}) == 2


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

        def next(self, words_N: Tensor, state: Any) -> tuple[Tensor, Any]:
            return self.inner.next(words_N, state)

        def alignment(self, state: Any) -> Tensor:
            return torch.zeros_like(self.inner.alignment(state))

    model = speller(2)
    state = states(model, [4, 2, 7])
    same(both_ways(Ensemble((model, Blind(model))), (state,) * 2), both_ways(model, state))  # type: ignore[arg-type]
    nowhere = both_ways(Ensemble((Blind(model),) * 2), (state,) * 2)  # type: ignore[arg-type]
    assert all(not hypothesis.alignment.any() for hypothesis in nowhere)


def test_members_may_be_of_any_sizes() -> None:
    torch.manual_seed(0)
    cells = [LSTM(size, 5, VOCABULARY).double().eval() for size in (3, 4)]
    embeddings = [nn.Embedding(VOCABULARY, size).double() for size in (3, 4)]
    model = Ensemble(tuple(Speller(*pair, nn.Identity()) for pair in zip(cells, embeddings, strict=True)))
    [[best], _] = beam_search(model, tuple(cell.initial_state(2) for cell in cells), torch.tensor([4, 4]), beam=3)
    assert best.alignment.shape == (len(best.tokens), 0)


# In C++ ---------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("compiled_functions")
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 50),
    beam=st.integers(1, 12),
    alpha=st.sampled_from([0.0, 1.0]),
    limits=st.lists(st.integers(0, 6), min_size=1, max_size=4),
)
def test_in_cpp_it_finds_what_it_finds_with_torch(seed: int, beam: int, alpha: float, limits: list[int]) -> None:
    model = speller(seed)
    state = states(model, [3, 5, 1, 4][: len(limits)])
    model.cell.float()
    state = pytree.tree_map(lambda leaf: leaf.float() if leaf.is_floating_point() else leaf, state)
    found = []
    for possible in (kernels.possible, lambda *arrays: False):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(kernels, "possible", possible)
            found.append(beam_search(model, state, torch.tensor(limits), beam, alpha, best=beam))
    with torch.no_grad():
        assert kernels.possible(state.hidden_BH)
    for mine, theirs in zip(*found, strict=True):
        assert len({tuple(each.tokens) for each in mine}) == len(mine)
        assert [each.tokens for each in mine] == [each.tokens for each in theirs]
        for one, other in zip(mine, theirs, strict=True):
            assert one.score == pytest.approx(other.score, rel=1e-4, abs=1e-5)
            torch.testing.assert_close(one.alignment, other.alignment, rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures("compiled_functions")
def test_in_cpp_the_best_are_torchs() -> None:
    torch.manual_seed(0)
    log_p_NV, total_N = torch.randn(3 * 12, 700).log_softmax(-1), -3 * torch.rand(3 * 12)
    total_N[5] = total_N[13] = -torch.inf
    done_N = torch.arange(3 * 12) % 5 == 0
    row_N = torch.arange(3 * 12)
    now = _Beam(None, (), row_N, row_N, row_N, row_N, total_N, row_N, done_N)
    with torch.no_grad():
        rows_N, words_N, best_N = _best(now, log_p_NV, 12)
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
