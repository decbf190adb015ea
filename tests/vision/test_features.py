"""Cached grids against the network's own, and what becomes of a cache that is not as it was written."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from augrnn.errors import UserError
from augrnn.vision import features
from augrnn.vision.backbone import CHUNK, Backbone
from augrnn.vision.features import GRIDS, cached_grids
from augrnn.vision.pictures import Picture, decode

COUNT = 2 * CHUNK + 3


def picture(number: int) -> Picture:
    noise = np.random.default_rng(number).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "PNG")
    return Picture(f"{number}.png", file.getvalue())


PICTURES = [picture(number) for number in range(COUNT)]


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return Backbone(layer="features.3", size=32)


def folders(cache: Path) -> list[Path]:
    return sorted(cache.glob("grids-*"))


def test_grids_are_the_networks_own_in_any_order(backbone: Backbone, tmp_path: Path) -> None:
    grids = cached_grids(PICTURES, backbone, tmp_path)
    numbers = [COUNT - 1, 0, CHUNK, CHUNK - 1, 0]
    with torch.inference_mode():
        expected = backbone(torch.stack([backbone.pixels(decode(PICTURES[number])) for number in numbers]))
    assert len(grids) == COUNT
    assert (grids[numbers].dtype, grids[numbers].shape) == (torch.float16, expected.shape)
    torch.testing.assert_close(grids[numbers].float(), expected, atol=2e-3, rtol=2e-3)
    every = grids[range(COUNT)]
    assert torch.equal(every[numbers], grids[numbers])


def test_a_second_time_no_picture_is_seen(backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = cached_grids(PICTURES, backbone, tmp_path)[range(COUNT)]
    monkeypatch.setattr(features, "decode", None)
    renamed = [Picture("another name", each.content) for each in PICTURES]
    assert torch.equal(cached_grids(renamed, backbone, tmp_path)[range(COUNT)], first)


def test_the_cache_knows_pictures_layer_weights_and_transform(backbone: Backbone, tmp_path: Path) -> None:
    cached_grids(PICTURES[:2], backbone, tmp_path)
    cached_grids(PICTURES[1::-1], backbone, tmp_path)
    cached_grids(PICTURES[:2], Backbone(layer="features.4", size=32), tmp_path)
    cached_grids(PICTURES[:2], Backbone(layer="features.3", size=48), tmp_path)
    other = Backbone(layer="features.3", size=32)
    next(other.network.parameters()).data[0] += 1e-3
    cached_grids(PICTURES[:2], other, tmp_path)
    assert len(folders(tmp_path)) == 5


@pytest.mark.parametrize("harm", ["cut", "flipped", "gone", "seal"])
def test_a_broken_cache_is_found_and_made_again(
    backbone: Backbone, tmp_path: Path, harm: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first = cached_grids(PICTURES, backbone, tmp_path)[range(COUNT)].clone()
    file = folders(tmp_path)[0] / GRIDS
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    if harm == "gone":
        file.unlink()
    elif harm == "seal":
        (file.parent / features.SEAL).write_text("{")
    else:
        file.write_bytes(content if harm == "flipped" else content[: len(content) // 2])
    capsys.readouterr()
    assert torch.equal(cached_grids(PICTURES, backbone, tmp_path)[range(COUNT)], first)
    assert "are damaged and are made again" in capsys.readouterr().err


def test_what_was_stopped_half_way_is_made_again(
    backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(features, "write_json", stop)
        with pytest.raises(KeyboardInterrupt):
            cached_grids(PICTURES, backbone, tmp_path)
    assert len(cached_grids(PICTURES, backbone, tmp_path)) == COUNT


def test_an_undecodable_picture_is_named_or_counted(
    backbone: Backbone, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mixed = [PICTURES[0], Picture("broken.jpg", b"no picture"), PICTURES[1]]
    with pytest.raises(UserError, match=r"broken\.jpg cannot be read"):
        cached_grids(mixed, backbone, tmp_path)
    for _ in range(2):  # computed, and from the cache
        grids = cached_grids(mixed, backbone, tmp_path, skip_undecodable=True)
        assert grids.present == [True, False, True]
        assert "1 of 3 pictures cannot be read and are left out" in capsys.readouterr().err
        whole = cached_grids(PICTURES[:2], backbone, tmp_path)
        assert torch.equal(grids[[2, 0]], whole[[1, 0]])
        capsys.readouterr()
    with pytest.raises(ValueError, match="picture 1 could not be read"):
        grids[[0, 1]]
    with pytest.raises(UserError, match="none of 1 pictures can be read"):
        cached_grids(mixed[1:2], backbone, tmp_path, skip_undecodable=True)


def test_numbers_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    loud = Backbone(layer="features.1", size=32)
    for parameter in loud.network.parameters():
        parameter.data.mul_(1e4)
    with pytest.raises(UserError, match=r"features\.1 of mobilenet_v2 gives numbers beyond 65,504"):
        cached_grids(PICTURES[:2], loud, tmp_path)
    assert not [file for folder in folders(tmp_path) for file in folder.glob("*.arrow")]


def test_the_file_may_be_larger_than_memory(backbone: Backbone, tmp_path: Path) -> None:
    """A process that may not allocate half of the file reads all of it, a few grids at a time."""
    many = [PICTURES[number % COUNT] for number in range(3000)]
    wide = Backbone(layer="features.1", size=112)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(features, "_grids", lambda pixels, _: np.ones((len(pixels), 56 * 56, 16), np.float16))
        patch.setattr(features, "decode", lambda picture: Image.new("RGB", (1, 1)))
        cached_grids(many, wide, tmp_path)
    file = folders(tmp_path)[0] / GRIDS
    program = (
        "import resource, sys, torch, numpy as np\n"
        "from pathlib import Path\nfrom datasets import Dataset\nfrom augrnn.vision.features import Grids\n"
        "peak = lambda: int([l for l in open('/proc/self/status') if l.startswith('RssAnon')][0].split()[1])\n"
        f"grids = Grids(Dataset.from_file({str(file)!r}), (56 * 56, 16), [True] * 3000)\n"
        "before, total = peak(), 0\n"
        "for start in range(0, 3000, 50): total += int(grids[range(start, start + 50)].float().sum())\n"
        "assert total == 3000 * 56 * 56 * 16, total\n"
        "print(peak() - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert file.stat().st_size > 250e6
    assert int(done.stdout) * 1024 < 60e6
