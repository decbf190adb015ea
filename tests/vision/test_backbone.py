"""Backbones against torchvision's own modules, run piece by piece."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn
from torchvision.models import mobilenet_v2, squeezenet1_1

from augrnn.errors import UserError
from augrnn.vision.backbone import Backbone

SMALL = 64


def seeded(make: type) -> nn.Module:
    torch.manual_seed(3)
    return make(weights=None).eval()


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.save(seeded(mobilenet_v2).state_dict(), tmp_path / "weights.pth")
    return tmp_path / "weights.pth"


@torch.no_grad()
def test_a_layer_is_what_the_network_gives_there(weights: Path) -> None:
    ours = Backbone("mobilenet_v2", "features.13", str(weights), SMALL)
    pixels = torch.randint(0, 256, (2, 3, SMALL, SMALL), dtype=torch.uint8)
    mean, std = (torch.tensor(v)[:, None, None] for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    expected = seeded(mobilenet_v2).features[:14]((pixels / 255 - mean) / std)
    grid_BLD = ours(pixels)
    assert (ours.grid_size, ours.channels, grid_BLD.shape) == ((4, 4), 96, (2, 16, 96))
    torch.testing.assert_close(grid_BLD[1, 6], expected[1, :, 1, 2], atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_padding_as_tensorflow_is_below_and_to_the_right(weights: Path) -> None:
    ours = Backbone("mobilenet_v2", "features.1", str(weights), SMALL, (0.5,) * 3, (0.5,) * 3, "tensorflow")
    pixels = torch.randint(0, 256, (1, 3, SMALL, SMALL), dtype=torch.uint8)
    network = seeded(mobilenet_v2).features[:2]
    network[0][0].padding = (0, 0)
    expected = network(F.pad(pixels / 127.5 - 1, (0, 1, 0, 1)))
    torch.testing.assert_close(ours(pixels), expected.flatten(2).transpose(1, 2), atol=1e-4, rtol=1e-4)


def test_without_weights_it_is_always_the_same_network_and_the_callers_dice_are_untouched() -> None:
    torch.manual_seed(0)
    before = torch.random.get_rng_state()
    one = Backbone(layer="features.2", size=SMALL)
    assert torch.equal(before, torch.random.get_rng_state())
    torch.manual_seed(1)
    assert one.fingerprint == Backbone(layer="features.2", size=SMALL).fingerprint


def test_the_fingerprint_knows_layer_weights_and_transform(weights: Path) -> None:
    makes = [
        Backbone(layer="features.2", size=SMALL),
        Backbone(layer="features.3", size=SMALL),
        Backbone(layer="features.2", size=SMALL, weights=str(weights)),
        Backbone(layer="features.2", size=SMALL + 32),
        Backbone(layer="features.2", size=SMALL, mean=(0.5, 0.5, 0.5)),
        Backbone(layer="features.2", size=SMALL, padding="tensorflow"),
    ]
    assert len({each.fingerprint for each in makes}) == len(makes)


@pytest.mark.parametrize("frozen", [True, False])
def test_statistics_stay_under_train_and_only_a_tuned_network_has_gradients(frozen: bool) -> None:
    ours = Backbone(layer="features.2", size=SMALL, frozen=frozen)
    nn.ModuleList([ours]).train()
    before = {name: buffer.clone() for name, buffer in ours.network.named_buffers()}
    grid_BLD = ours(torch.randint(0, 256, (2, 3, SMALL, SMALL), dtype=torch.uint8))
    assert grid_BLD.requires_grad != frozen
    assert all(torch.equal(before[name], buffer) for name, buffer in ours.network.named_buffers())


def test_pictures_are_squashed_whole() -> None:
    image = Image.new("RGB", (10_000, 2), "red")
    image.paste("blue", (5_000, 0, 10_000, 2))
    pixels = Backbone(layer="features.2", size=SMALL).pixels(image)
    assert pixels.shape == (3, SMALL, SMALL)
    assert pixels[:, 0, 0].tolist() == [255, 0, 0]
    assert pixels[:, -1, -1].tolist() == [0, 0, 255]


def test_weights_are_also_found_in_their_directory_and_need_no_later_layers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = {name: value for name, value in seeded(squeezenet1_1).state_dict().items() if "classifier" not in name}
    torch.save(state, tmp_path / "features.pth")
    monkeypatch.setenv("AUGRNN_WEIGHTS", str(tmp_path))
    ours = Backbone("squeezenet1_1", "features.12", "features.pth")
    assert (ours.grid_size, ours.channels) == ((13, 13), 512)


def test_a_file_of_another_network_is_refused(weights: Path, tmp_path: Path) -> None:
    torch.save(seeded(squeezenet1_1).state_dict(), tmp_path / "other.pth")
    with pytest.raises(UserError, match=r"other\.pth is of another network than mobilenet_v2"):
        Backbone(weights=str(tmp_path / "other.pth"))
    state = torch.load(weights)
    torch.save(state | {"features.0.0.weight": torch.zeros(16, 3, 3, 3)}, tmp_path / "thin.pth")
    with pytest.raises(UserError, match=r"its features\.0\.0\.weight has the shape \(16, 3, 3, 3\), not \(32,"):
        Backbone(weights=str(tmp_path / "thin.pth"))
    torch.save({name: value for name, value in state.items() if "features.5" not in name}, tmp_path / "gap.pth")
    with pytest.raises(UserError, match=r"gap\.pth has no features\.5"):
        Backbone(weights=str(tmp_path / "gap.pth"))
    (tmp_path / "text.pth").write_text("no weights")
    with pytest.raises(UserError, match=r"text\.pth is no file of weights"):
        Backbone(weights=str(tmp_path / "text.pth"))
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(UserError, match=r"holds no state dict"):
        Backbone(weights=str(tmp_path / "list.pth"))


def test_what_is_not_there_is_told_in_one_line() -> None:
    for wrong, told in (
        ({"name": "mobilnet_v2"}, "did you mean mobilenet_v2"),
        ({"layer": "features.99"}, r"no layer of mobilenet_v2 called features\.99"),
        ({"weights": "IMAGENET9"}, "it has IMAGENET1K_V1, IMAGENET1K_V2"),
        ({"layer": "classifier.1"}, r"gives no grid of channels, but something of shape \(1, 1000\)"),
        ({"std": (1, 1)}, "three standard deviations"),
        ({"padding": "same"}, "torch or tensorflow"),
    ):
        with pytest.raises(UserError, match=told) as caught:
            Backbone(**wrong)  # type: ignore[arg-type]
        assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match=r"given \(3, 32, 32\)"):
        Backbone(layer="features.2", size=SMALL)(torch.zeros(1, 3, 32, 32))
