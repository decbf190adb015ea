"""What is sent to W&B: pictures, and tables of texts."""

from typing import Any, cast

import matplotlib.pyplot as plt
from lightning.pytorch.loggers import WandbLogger

from augrnn.exhibits.curves import BySize
from augrnn.exhibits.text_table import TextTable
from augrnn.tracking.pictures import send


class Board:
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.sent: dict[str, Any] = {}

    def log_image(self, key: str, images: list[Any], step: int, caption: list[str]) -> None:
        (figure,) = images
        assert figure.get_supxlabel() == ""
        self.sent[key] = (len(figure.axes), step, *caption)

    def log_text(self, key: str, columns: list[str], data: list[list[str]], step: int) -> None:
        self.sent[key] = (columns, data, step)


def test_tables_are_sent_as_tables_and_all_else_as_pictures() -> None:
    board = Board()
    exhibits = {"texts": TextTable(("a", "b"), (("1", "2"),)), "sizes": BySize({"a": [{"1": 2.0}]}, "y", "x")}
    send(cast(WandbLogger, board), exhibits, 7)
    assert board.sent == {
        "media/texts": (["a", "b"], [["1", "2"]], 7),
        "media/sizes": (1, 7, exhibits["sizes"].caption),
    }
    assert not plt.get_fignums()
