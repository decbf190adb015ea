"""Neural programs: operations that can be differentiated, and cells that choose them, in plain torch."""

from augrnn.programs.arithmetic import ArithmeticProgram
from augrnn.programs.neural_programmer import NeuralProgrammer
from augrnn.programs.programmer import Programmer

__all__ = [
    "ArithmeticProgram",
    "NeuralProgrammer",
    "Programmer",
]
