"""Cells that write a text while they look at annotations."""

from augrnn.decoders.attentive import AttentiveDecoder
from augrnn.decoders.captioning import CaptionDecoder
from augrnn.decoders.conditional_gru import ConditionalDecoder
from augrnn.decoders.decoder import Decoder
from augrnn.decoders.luong import LuongDecoder

__all__ = [
    "AttentiveDecoder",
    "CaptionDecoder",
    "ConditionalDecoder",
    "Decoder",
    "LuongDecoder",
]
