"""Which answers a model that reads tables as text gets right."""

from typing import Any

from augrnn.batches import moved
from augrnn.measures.measure import Measure, Measured
from augrnn.systems.encoder_decoder import EncoderDecoder
from augrnn.tasks.tables import TableTexts


class TableTextMeasure(Measure):
    """Right answers in each evaluation set.

    Number, by the bound of the numbers in a set's tables: `right`, the share of answers that are right to the last
    letter.
    """

    def measure(self, system: EncoderDecoder, task: TableTexts) -> Measured:
        numbers: dict[str, Any] = {"right": {}}
        for name, batches in task.test_sets().items():
            decoded: dict[int, list[int]] = {}
            for batch in batches:
                found = system.decode(moved(batch, system.device))
                decoded.update(zip(batch.index_B.tolist(), (each.tokens for each in found), strict=True))
            numbers["right"] |= {name: task.score(list(decoded.values()), list(decoded), name)["right"]}
        return Measured(numbers, {})
