import math

import pytest
import torch
import torch.nn.functional as F

from augrnn.cells.unroll import Unrolled
from augrnn.objectives.cross_entropy import SequenceCrossEntropy, TokenCrossEntropy, token_cross_entropy
from augrnn.tasks.bit_task import BitBatch
from augrnn.text.token_batches import EOS, PAD, PairBatch


def given(outputs: torch.Tensor) -> Unrolled:
    return Unrolled(outputs, None, None)


def bits() -> tuple[BitBatch, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    targets_TBO = torch.randint(0, 2, (4, 3, 2), generator=random).double()
    scored_TB = torch.tensor([0.0, 1.0, 1.0, 0.0])[:, None].expand(4, 3).double()
    return BitBatch(torch.zeros(4, 3, 1), targets_TBO, scored_TB), torch.randn(4, 3, 2, generator=random).double()


def test_bits_are_summed_over_a_sequence_and_averaged_over_sequences() -> None:
    batch, logits_TBO = bits()
    nats = 0.0
    for t in (1, 2):
        for b in range(3):
            for o in range(2):
                one = 1 / (1 + math.exp(-float(logits_TBO[t, b, o])))
                nats -= math.log(one if batch.targets_TBO[t, b, o] else 1 - one)
    loss = SequenceCrossEntropy()(batch, given(logits_TBO))
    assert float(loss.value) == pytest.approx(nats / 3)
    assert float(loss.logged["cost_bits"]) == pytest.approx(nats / 3 / math.log(2))


def test_several_outputs_have_a_cost_each() -> None:
    batch, logits_TBO = bits()
    several_KTBO = torch.stack([logits_TBO, -logits_TBO, 3 * logits_TBO])
    costs_KTB = batch.step_costs(several_KTBO)
    for outputs_TBO, cost_TB in zip(several_KTBO, costs_KTB, strict=True):
        assert torch.equal(cost_TB, batch.step_costs(outputs_TBO))
    assert (costs_KTB[:, [0, 3]] == 0).all()
    assert torch.equal(batch.cost_bits(several_KTBO)[0], batch.cost_bits(logits_TBO))


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_tokens_are_averaged_without_padding(smoothing: float) -> None:
    target_BM = torch.tensor([[4, 5, EOS], [5, EOS, PAD]])
    batch = PairBatch((), target_BM, target_BM != PAD, torch.arange(2))
    logits_MBV = torch.randn(3, 2, 6, generator=torch.Generator().manual_seed(0)).double()
    costs = []
    for m in range(3):
        for b in range(2):
            if target_BM[b, m] != PAD:
                log_p_V = logits_MBV[m, b].log_softmax(-1)
                costs.append(-(1 - smoothing) * log_p_V[target_BM[b, m]] - smoothing * log_p_V.mean())
    loss = TokenCrossEntropy(smoothing)(batch, given(logits_MBV))
    assert len(costs) == 5
    assert float(loss.value) == pytest.approx(float(sum(costs) / 5))
    assert float(loss.logged["loss"]) == float(loss.value)


@pytest.mark.usefixtures("compiled_functions")
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize(("rows", "vocabulary"), [(1, 2), (7, 33)])
def test_in_cpp_it_is_torchs_with_its_gradient(rows: int, vocabulary: int, smoothing: float) -> None:
    torch.manual_seed(0)
    scores_NV = (5 * torch.randn(rows, vocabulary)).requires_grad_()
    target_N = torch.randint(vocabulary, (rows,))
    target_N[1::3] = -100
    ours = token_cross_entropy(scores_NV, target_N, smoothing)
    torchs = F.cross_entropy(scores_NV.double(), target_N, label_smoothing=smoothing)
    torch.testing.assert_close(ours.double(), torchs, rtol=1e-5, atol=1e-6)
    mine, theirs = (torch.autograd.grad(3 * loss, scores_NV)[0] for loss in (ours, torchs))
    torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.usefixtures("compiled_functions")
def test_in_cpp_it_tells_of_what_is_wrong() -> None:
    scores_NV, target_N = torch.randn(3, 5), torch.tensor([0, 1, 2])
    for wrong in (5, -1):
        with pytest.raises(IndexError, match="5 of the vocabulary"):
            token_cross_entropy(scores_NV, torch.tensor([0, wrong, 2]), 0.0)
    assert token_cross_entropy(scores_NV, torch.full((3,), -100), 0.0).isnan()
    scores_NV[1, 3] = torch.nan
    assert token_cross_entropy(scores_NV, target_N, 0.0).isnan()
