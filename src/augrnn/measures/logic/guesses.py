"""How wrong a net is on logic that applies only a vector's last gates, and guesses what came before."""

from collections import Counter
from fractions import Fraction

from augrnn.tasks.logic import GATES

OLDER, NEWER = 0b1100, 0b1010
"""Two bits as truth tables over their own four values."""


def wrong_steps(kept: int, gates: int) -> float:
    """The share of wrong answers to vectors of so many gates, all kinds of gates equally frequent.

    The net knows the kinds of the last gates alone. The two bits that the first of them sees are then even and
    independent, because as many kinds of gates answer true as false whatever they see; it gives the likelier answer. A
    vector of no more gates than it keeps has no mistake; with none kept it is a guess.

    Args:
      kept: gates that it applies.
      gates: of the vector.
    """
    if gates <= kept:
        return 0.0
    tables = [sum(value << place for place, value in enumerate(reversed(row))) for row in GATES.values()]
    found = Counter({(OLDER, NEWER): 1})
    for _ in range(kept):
        after: Counter[tuple[int, int]] = Counter()
        for (older, newer), count in found.items():
            for table in tables:
                after[newer, _applied(table, newer, older)] += count
        found = after
    wrong = sum(count * min(newer.bit_count(), 4 - newer.bit_count()) for (_, newer), count in found.items())
    return float(Fraction(wrong, 4 * found.total()))


def _applied(gate: int, newer: int, older: int) -> int:
    """The truth table of a gate's answer, from those of the bits it sees."""
    places = ((newer >> place & 1, older >> place & 1) for place in range(4))
    return sum((gate >> (2 * p + q) & 1) << place for place, (p, q) in enumerate(places))


def wrong_sequences(wrong: float, lengths: range) -> float:
    """The share of sequences with a mistake, all lengths equally frequent, if mistakes at steps are independent."""
    return sum(1 - (1 - wrong) ** length for length in lengths) / len(lengths)
