"""Recurrent cells in plain torch."""

from augrnn.cells.act import ACT
from augrnn.cells.bidirectional_gru import BidirectionalGRU
from augrnn.cells.cell import Cell
from augrnn.cells.dnc import DNC
from augrnn.cells.feedforward import Feedforward
from augrnn.cells.gru import GRU
from augrnn.cells.lstm import LSTM, GravesLSTM, StackedLSTM
from augrnn.cells.ntm import NTM
from augrnn.cells.ponder_net import PonderNet
from augrnn.cells.repeat import Repeat
from augrnn.cells.rnn import RNN

__all__ = [
    "ACT",
    "DNC",
    "GRU",
    "LSTM",
    "NTM",
    "RNN",
    "BidirectionalGRU",
    "Cell",
    "Feedforward",
    "GravesLSTM",
    "PonderNet",
    "Repeat",
    "StackedLSTM",
]
