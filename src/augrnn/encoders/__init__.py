"""From a source to the annotations that a decoder looks at."""

from augrnn.encoders.encoder import Encoder
from augrnn.encoders.grid import GridEncoder
from augrnn.encoders.word_encoder import BidirectionalEncoder

__all__ = [
    "BidirectionalEncoder",
    "Encoder",
    "GridEncoder",
]
