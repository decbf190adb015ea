import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from augrnn.encoders.word_encoder import BidirectionalEncoder
from augrnn.text.token_batches import Tokens

VOCABULARY, EMBEDDING, HIDDEN = 11, 3, 4


def encoder(**dropouts: float) -> BidirectionalEncoder:
    torch.manual_seed(0)
    return BidirectionalEncoder(VOCABULARY, EMBEDDING, HIDDEN, **dropouts).double()


def source(lengths: list[int], columns: int, filler: int = 0) -> Tokens:
    mask_BL = torch.arange(columns) < torch.tensor(lengths)[:, None]
    ids_BL = torch.randint(VOCABULARY, (len(lengths), 12), generator=torch.Generator().manual_seed(1))[:, :columns]
    return Tokens(ids_BL.masked_fill(~mask_BL, filler), mask_BL)


def torchs(ours: BidirectionalEncoder) -> nn.GRU:
    """torch.nn.GRU with the same weights."""
    gru = nn.GRU(EMBEDDING, HIDDEN, batch_first=True, bidirectional=True).double()
    ways = {"": (ours.rnn.forward_input, ours.rnn.forward_hidden)}
    ways["_reverse"] = (ours.rnn.backward_input, ours.rnn.backward_hidden)
    gru.load_state_dict(
        {
            f"{kind}_{place}_l0{way}": getattr(layer, kind)
            for way, layers in ways.items()
            for place, layer in zip(("ih", "hh"), layers, strict=True)
            for kind in ("weight", "bias")
        }
    )
    return gru


def test_the_states_are_those_of_torchs_gru() -> None:
    ours, lengths = encoder(), [5, 2, 7, 1]
    ids_BL, mask_BL = source(lengths, 7)
    packed = pack_padded_sequence(ours.embedding(ids_BL), torch.tensor(lengths), batch_first=True, enforce_sorted=False)
    states, last_2BH = torchs(ours)(packed)
    expected_BLD, _ = pad_packed_sequence(states, batch_first=True)
    found = ours(Tokens(ids_BL, mask_BL))
    torch.testing.assert_close(found.values_BLD[mask_BL], expected_BLD[mask_BL])
    torch.testing.assert_close(found.summary_BC, last_2BH[0])
    torch.testing.assert_close(found.start_BS, last_2BH[1])
    torch.testing.assert_close(found.start_BS, expected_BLD[:, 0, HIDDEN:])
    sizes = (found.values_BLD.shape[-1], found.start_BS.shape[-1], found.summary_BC.shape[-1])
    assert sizes == (ours.annotation_size, ours.start_size, ours.summary_size)


@settings(max_examples=30)
@given(
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=4),
    padding=st.integers(1, 5),
    filler=st.integers(0, VOCABULARY - 1),
)
def test_padding_changes_nothing(lengths: list[int], padding: int, filler: int) -> None:
    ours, longest = encoder(), max(lengths)
    tight = ours(source(lengths, longest))
    wide = ours(source(lengths, longest + padding, filler))
    torch.testing.assert_close(wide.values_BLD[:, :longest][tight.mask_BL], tight.values_BLD[tight.mask_BL])
    torch.testing.assert_close(wide.start_BS, tight.start_BS)
    torch.testing.assert_close(wide.summary_BC, tight.summary_BC)


def test_padding_gets_no_gradient() -> None:
    ours = encoder()
    found = ours(source([3, 5], 6, filler=VOCABULARY - 1))
    (found.values_BLD[found.mask_BL].sum() + found.start_BS.sum() + found.summary_BC.sum()).backward()
    used = source([3, 5], 6, filler=-1)[0].flatten()
    assert (VOCABULARY - 1 in used) or ours.embedding.weight.grad[VOCABULARY - 1].abs().sum() == 0


def test_dropout_only_in_training() -> None:
    ours, batch = encoder(embedding_dropout=0.5, dropout=0.5), source([6], 6)
    assert (ours(batch).values_BLD == 0).any()
    ours.eval()
    assert torch.equal(ours(batch).values_BLD, ours(batch).values_BLD)
    assert (ours(batch).values_BLD != 0).all()


def test_gradients() -> None:
    ours, (ids_BL, mask_BL) = encoder(), source([3, 2], 4)
    names = [name for name, _ in ours.named_parameters()]

    def encode(*parameters: Tensor) -> tuple[Tensor, ...]:
        found = torch.func.functional_call(ours, dict(zip(names, parameters, strict=True)), (Tokens(ids_BL, mask_BL),))
        return found.values_BLD[mask_BL], found.start_BS, found.summary_BC

    assert torch.autograd.gradcheck(encode, [p.detach().requires_grad_() for p in ours.parameters()], fast_mode=True)


def test_layer_normalisation_is_of_every_product_and_padding_still_changes_nothing() -> None:
    torch.manual_seed(0)
    ours = BidirectionalEncoder(VOCABULARY, EMBEDDING, HIDDEN, layer_norm=True).double()
    (ids_BL, mask_BL), (wide_BL, wide_mask_BL) = source([4, 2], 4), source([4, 2], 6, filler=3)
    found, padded = ours(Tokens(ids_BL, mask_BL)), ours(Tokens(wide_BL, wide_mask_BL))
    torch.testing.assert_close(found.values_BLD[mask_BL], padded.values_BLD[wide_mask_BL])
    torch.testing.assert_close(found.start_BS, padded.start_BS)
    rnn, h_H = ours.rnn, torch.zeros(HIDDEN).double()
    for word in ids_BL[0]:
        read, kept = (
            nn.functional.layer_norm(product, (3 * HIDDEN,))
            for product in (rnn.forward_input(ours.embedding.weight[word]), rnn.forward_hidden(h_H))
        )
        (r_x, z_x, n_x), (r_h, z_h, n_h) = read.chunk(3), kept.chunk(3)
        z = torch.sigmoid(z_x + z_h)
        h_H = (1 - z) * torch.tanh(n_x + torch.sigmoid(r_x + r_h) * n_h) + z * h_H
    torch.testing.assert_close(found.summary_BC[0], h_H)


def test_the_papers_start_is_small_and_orthogonal() -> None:
    torch.manual_seed(0)
    ours = BidirectionalEncoder(200, 30, 40, paper_start=True)
    for weight in (ours.embedding.weight, ours.rnn.forward_input.weight, ours.rnn.backward_input.weight):
        assert 0.009 < weight.std() < 0.011
    assert all(parameter.abs().sum() == 0 for name, parameter in ours.named_parameters() if name.endswith("bias"))
    for gate_HH in ours.rnn.forward_hidden.weight.chunk(3):
        torch.testing.assert_close(gate_HH @ gate_HH.T, torch.eye(40), atol=1e-5, rtol=0)
