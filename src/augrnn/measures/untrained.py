"""The control of every measure of attention: the same architecture before training."""

import copy

import torch

from augrnn.systems.encoder_decoder import EncoderDecoder


def untrained(system: EncoderDecoder) -> EncoderDecoder:
    """The same architecture with new random weights (torch's own initialisation), always the same ones."""
    fresh = EncoderDecoder(copy.deepcopy(system.encoder), copy.deepcopy(system.decoder)).to(system.device)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for module in fresh.modules():
            if callable(reset := getattr(module, "reset_parameters", None)):
                reset()
    return fresh.eval()
