"""Translators small enough to make in a test."""

import gzip
import shutil
from pathlib import Path
from typing import Any

import torch
import yaml

from augrnn.checkpoints import CONFIG_KEY
from augrnn.text.token_batches import EOS, UNK
from tests.tiny import train

PAIRS = [
    (f"A {colour} {thing} is in the old house.", f"Un {chose} {couleur} est dans la vieille maison.")
    for colour, couleur in {"red": "rouge", "yellow": "jaune", "pink": "rose"}.items()
    for thing, chose in {"dog": "chien", "hat": "chapeau", "ball": "ballon"}.items()
]
LAST = Path("checkpoints/last.ckpt")


def corpus(folder: Path) -> dict[str, Any]:
    """Write a small corpus into a folder, and give the settings that read it."""
    for split in ("train", "val", "test_2016_flickr"):
        for language, lines in zip(("en", "fr"), zip(*PAIRS, strict=True), strict=True):
            (folder / f"{split}.{language}.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    return {"directory": str(folder), "vocabulary": 45}


def made(folder: Path, data: dict[str, Any], attention: bool = True) -> Path:
    """The folder of a run of RNNsearch, or of RNNenc, that trained for one update and then got random weights."""
    sizes = {"vocabulary": data["vocabulary"], "embedding_size": 6, "hidden_size": 8}
    context = {"query_size": 8, "annotation_size": 16, "size" if attention else "summary_size": 8}
    looks = "additive.AdditiveAttention" if attention else "fixed_context.FixedContext"
    decoder = sizes | {"start_size": 8, "attention": part(f"attention.{looks}", **context)}
    config = {
        "model": part(
            "systems.encoder_decoder.EncoderDecoder",
            encoder=part("encoders.word_encoder.BidirectionalEncoder", **sizes),
            decoder=part("decoders.attentive.AttentiveDecoder", **decoder),
        ),
        "data": part("tasks.translation.Translation", **{"batch_size": 2} | data),
        "trainer": {"accelerator": "cpu", "max_steps": 1, "limit_val_batches": 0, "log_every_n_steps": 1},
    }
    written = folder.with_suffix(".yaml")
    written.write_text(yaml.safe_dump(config))
    train(["--config", str(written)], folder, {"experiment": "e", "variant": "v", "scale": "smoke", "seed": 0})
    return randomised(folder)


def randomised(folder: Path, seed: int = 0, unknown: float = 0.0) -> Path:
    """Give a run random weights, so that it writes all sorts, and add to the score of <unk>."""
    content = torch.load(folder / LAST)
    random = torch.Generator().manual_seed(seed)
    for tensor in content["state_dict"].values():
        if tensor.is_floating_point():
            tensor.normal_(std=0.7, generator=random)
    content["state_dict"]["decoder.vocabulary_layer.bias"][[UNK, EOS]] += torch.tensor([unknown, -2.0])
    torch.save(content, folder / LAST)
    return folder


def copied(run: Path, folder: Path) -> Path:
    """The run in another folder."""
    shutil.copytree(run, folder)
    return folder


def changed(run: Path, **data: object) -> dict[str, Any]:
    """The content of the run's checkpoint, with other settings of its data."""
    content = torch.load(run / LAST)
    config = yaml.safe_load(content[CONFIG_KEY])
    config["data"]["init_args"] |= data
    return content | {CONFIG_KEY: yaml.safe_dump(config)}


def part(name: str, **settings: object) -> dict[str, Any]:
    return {"class_path": f"augrnn.{name}", "init_args": settings}
