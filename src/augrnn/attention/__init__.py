"""Where a decoder looks: additive, dot, general and hard attention, and the fixed vector as their rival."""

from augrnn.attention.additive import AdditiveAttention
from augrnn.attention.attention import Annotations, Attention
from augrnn.attention.fixed_context import FixedContext
from augrnn.attention.hard import HardAttention
from augrnn.attention.multiplicative import DotAttention, GeneralAttention

__all__ = [
    "AdditiveAttention",
    "Annotations",
    "Attention",
    "DotAttention",
    "FixedContext",
    "GeneralAttention",
    "HardAttention",
]
