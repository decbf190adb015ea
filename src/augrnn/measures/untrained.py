"""The control of every measure of attention: the same architecture before training."""

import copy

from augrnn.seeded import seeded
from augrnn.systems.encoder_decoder import EncoderDecoder


def untrained(system: EncoderDecoder) -> EncoderDecoder:
    """The same architecture with new random weights (torch's own initialisation), the same ones on every device."""
    fresh = EncoderDecoder(copy.deepcopy(system.encoder), copy.deepcopy(system.decoder)).cpu()
    with seeded(0):
        for module in fresh.modules():
            if callable(reset := getattr(module, "reset_parameters", None)):
                reset()
    return fresh.to(system.device).eval()
