"""Initialisations that several parts share."""

from torch import nn


def start_small(*layers: nn.Linear) -> None:
    """Weights from N(0, .01^2) and biases zero, as Bahdanau et al. 2014 start (appendix B.1)."""
    for layer in layers:
        nn.init.normal_(layer.weight, std=0.01)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
