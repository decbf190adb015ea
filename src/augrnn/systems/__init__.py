"""LightningModules: a cell on a task with an output at each step, an encoder and a decoder on a task of texts."""

from augrnn.systems.encoder_decoder import EncoderDecoder
from augrnn.systems.system import System
from augrnn.systems.transducer import Transducer

__all__ = [
    "EncoderDecoder",
    "System",
    "Transducer",
]
