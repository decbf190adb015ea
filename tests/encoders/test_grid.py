"""Pictures as annotations."""

import pytest
import torch
from torch import nn

from augrnn.encoders.grid import GridEncoder, GridSource, PixelSource
from augrnn.errors import UserError


def test_annotations_are_the_features_and_the_start_is_their_mean() -> None:
    values_BLD = torch.randn(2, 6, 4).half()
    found = GridEncoder(4)(GridSource(values_BLD))
    assert torch.equal(found.values_BLD, values_BLD.float())
    assert found.mask_BL.all()
    assert found.mask_BL.shape == (2, 6)
    for each in (found.start_BS, found.summary_BC):
        torch.testing.assert_close(each, values_BLD.float().mean(1))


def test_places_are_told_by_a_learned_vector() -> None:
    encoder = GridEncoder(4, places=6)
    found = encoder(GridSource(torch.ones(2, 6, 4)))
    assert encoder.places_LD is not None
    torch.testing.assert_close(found.values_BLD[1], 1 + encoder.places_LD)
    found.values_BLD.sum().backward()
    assert (encoder.places_LD.grad == 2).all()


def test_features_of_a_place_are_brought_to_one_scale() -> None:
    values_BLD = 50 + 20 * torch.randn(2, 6, 400)
    found = GridEncoder(400, normalised=True)(GridSource(values_BLD)).values_BLD
    expected = (values_BLD - values_BLD.mean(2, keepdim=True)) / values_BLD.std(2, correction=0, keepdim=True)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_pixels_go_through_the_backbone() -> None:
    class Columns(nn.Module):
        def forward(self, pixels_BCSS: torch.Tensor) -> torch.Tensor:
            return pixels_BCSS.float().mean(2).transpose(1, 2)

    pixels = torch.randint(0, 256, (2, 3, 5, 5), dtype=torch.uint8)
    found = GridEncoder(3, Columns())(PixelSource(pixels))
    torch.testing.assert_close(found.values_BLD[1, 2], pixels[1, :, :, 2].float().mean(1))


def test_what_does_not_fit_is_told() -> None:
    with pytest.raises(UserError, match="gives pixels, but the encoder has no backbone"):
        GridEncoder(4)(PixelSource(torch.zeros(1, 3, 2, 2)))
    with pytest.raises(UserError, match="gives features, but the encoder has a backbone"):
        GridEncoder(4, nn.Identity())(GridSource(torch.zeros(1, 2, 4)))
    with pytest.raises(UserError, match="features have 5 channels: set annotation_size"):
        GridEncoder(4)(GridSource(torch.zeros(1, 2, 5)))
    with pytest.raises(UserError, match="has 2 places, not 3"):
        GridEncoder(4, places=3)(GridSource(torch.zeros(1, 2, 4)))
