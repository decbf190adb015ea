"""Captioning's rows of the benchmark: training beside torch's LSTM, and seeing pictures beside the network alone."""

# M = target positions, B = batch, L = places, D = annotation, V = vocabulary, E = embedding, H = hidden

import io
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stderr
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from augrnn.attention.additive import AdditiveAttention
from augrnn.batches import moved
from augrnn.bench.rows import Row, named, rate, updater
from augrnn.decoders.captioning import CaptionDecoder
from augrnn.encoders.grid import GridEncoder, GridSource
from augrnn.systems.encoder_decoder import EncoderDecoder
from augrnn.text.token_batches import PairBatch
from augrnn.vision.backbone import CHUNK, Backbone
from augrnn.vision.features import cached_grids
from augrnn.vision.pictures import Picture, decode

PLACES, CHANNELS, VOCABULARY, EMBEDDING, HIDDEN, ATTENTION, IMAGES = 49, 320, 2549, 256, 512, 256, 64
"""The sizes of configs/captioning/flickr8k-soft.yaml."""

WORDS = (9, 11, 13, 15)
"""Tokens of the made-up captions, a batch each."""

PICTURES, SIDE = 64, 224
"""Pictures that are seen, and their pixels a side."""


class TorchCaptioner(nn.Module):
    """torch.nn.LSTM of the same sizes from the mean annotation, without attention: what torch's fused loop can do."""

    def __init__(self) -> None:
        super().__init__()
        self.start = nn.Linear(CHANNELS, 2 * HIDDEN)
        self.embedding, self.lstm = nn.Embedding(VOCABULARY, EMBEDDING), nn.LSTM(EMBEDDING, HIDDEN, batch_first=True)
        self.narrow, self.output = nn.Linear(HIDDEN, EMBEDDING), nn.Linear(EMBEDDING, VOCABULARY)

    def forward(self, batch: PairBatch) -> Tensor:
        parts = self.start(batch.source.values_BLD.float().mean(1)).tanh().chunk(2, dim=-1)
        hidden, cell = (part.unsqueeze(0).contiguous() for part in parts)
        decoded_BMH, _ = self.lstm(self.embedding(batch.target_BM), (hidden, cell))
        return self.output(self.narrow(decoded_BMH))


def soft_captioner() -> EncoderDecoder:
    """The model of configs/captioning/flickr8k-soft.yaml, without its penalty."""
    attention = AdditiveAttention(HIDDEN, CHANNELS, ATTENTION)
    decoder = CaptionDecoder(VOCABULARY, EMBEDDING, HIDDEN, CHANNELS, attention, 0.3, 0.5)
    return EncoderDecoder(GridEncoder(CHANNELS, dropout=0.3), decoder)


def caption_speed(device: torch.device, seconds: float) -> Row:
    """Training of a captioner on features, beside torch.nn.LSTM."""
    torch.manual_seed(0)
    batches = []
    for words in WORDS:
        target_BM = torch.randint(4, VOCABULARY, (IMAGES, words))
        source = GridSource(torch.rand(IMAGES, PLACES, CHANNELS).half())
        pairs = PairBatch(source, target_BM, torch.ones_like(target_BM, dtype=torch.bool), torch.arange(IMAGES))
        batches.append(moved(pairs, device))
    ours, torchs = soft_captioner().to(device), TorchCaptioner().to(device)

    def our_cost(number: int) -> tuple[Tensor, int]:
        batch = batches[number % len(batches)]
        return ours.objective(batch, ours.answer(batch)).value, batch.target_BM.numel()

    def their_cost(number: int) -> tuple[Tensor, int]:
        batch = batches[number % len(batches)]
        return F.cross_entropy(torchs(batch).flatten(0, 1), batch.target_BM.flatten()), batch.target_BM.numel()

    mine, reference = (rate(updater(*pair), device, seconds) for pair in ((ours, our_cost), (torchs, their_cost)))
    return Row("captions, soft attention", named(device), IMAGES, mine, "target tokens/s", reference)


def features_speed(seconds: float) -> Row:
    """MobileNetV2's grids of JPEG files kept on disk, beside the network alone on pictures that are decoded."""
    backbone = Backbone(size=SIDE)
    noise = np.random.default_rng(0).integers(0, 256, (PICTURES, 14, 14, 3), dtype=np.uint8)
    pictures = [_jpeg(number, each) for number, each in enumerate(noise)]
    pixels_BCSS = torch.stack([backbone.pixels(decode(picture)) for picture in pictures])

    def seen(_: int) -> int:
        with tempfile.TemporaryDirectory() as folder, redirect_stderr(io.StringIO()):
            return len(cached_grids(pictures, backbone, Path(folder)))

    @torch.inference_mode()
    def alone(_: int) -> int:
        return sum(len(backbone(chunk)) for chunk in pixels_BCSS.split(CHUNK))

    cpu = torch.device("cpu")
    mine, reference = (rate(each, cpu, seconds) for each in (seen, alone))
    return Row("features of MobileNetV2, kept on disk", named(cpu), CHUNK, mine, "pictures/s", reference)


def _jpeg(number: int, pixels: np.ndarray) -> Picture:
    file = io.BytesIO()
    Image.fromarray(pixels).resize((SIDE, SIDE)).save(file, "JPEG", quality=85)
    return Picture(f"{number}.jpg", file.getvalue())


def speeds(seconds: float) -> Iterator[Row]:
    """Every row of captioning, on the CPU and, but for features, on a GPU where there is one.

    Args:
      seconds: how long each figure is measured.
    """
    yield features_speed(seconds)
    for device in [torch.device("cpu")] + [torch.device("cuda")] * torch.cuda.is_available():
        yield caption_speed(device, seconds)
