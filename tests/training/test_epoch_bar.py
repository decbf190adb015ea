"""What the progress bar of `augrnn fit` says of epochs."""

import pytest

from augrnn.cli import main
from tests.tiny import CONFIG, tiny


@pytest.mark.parametrize(("end", "told"), [("max_steps=3", "Epoch 0 "), ("max_epochs=1", "Epoch 0/0")])
def test_a_number_of_epochs_is_told_where_one_is_set(
    end: str, told: str, tmp_path: object, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*CONFIG, *tiny(3), f"--trainer.{end}", f"--trainer.default_root_dir={tmp_path}"]
    if end.startswith("max_epochs"):
        words.append("--trainer.max_steps=-1")
    assert main(["fit", *words]) == 0
    shown = capsys.readouterr().out
    assert told in shown
    assert "/-" not in shown
