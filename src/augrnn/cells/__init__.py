"""Recurrent cells in plain torch."""

from augrnn.cells.bidirectional_gru import BidirectionalGRU
from augrnn.cells.cell import Cell
from augrnn.cells.dnc import DNC
from augrnn.cells.feedforward import Feedforward
from augrnn.cells.gru import GRU
from augrnn.cells.lstm import LSTM, GravesLSTM, StackedLSTM
from augrnn.cells.ntm import NTM

__all__ = [
    "DNC",
    "GRU",
    "LSTM",
    "NTM",
    "BidirectionalGRU",
    "Cell",
    "Feedforward",
    "GravesLSTM",
    "StackedLSTM",
]
