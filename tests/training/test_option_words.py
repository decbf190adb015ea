"""A null on the command line is none, however deep its option stands."""

import pytest

from augrnn.training.command import Command
from augrnn.training.option_words import understood

DEEP = "--data.init_args.backbone.init_args.weights"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([f"{DEEP}=null"], ['--data.init_args={"backbone": {"init_args": {"weights": null}}}']),
        (["fit", DEEP, "null", "--x"],
         ["fit", '--data.init_args={"backbone": {"init_args": {"weights": null}}}', "--x"]),
        (["--a.init_args.b.init_args.c.init_args.d=null"],
         ['--a.init_args={"b": {"init_args": {"c": {"init_args": {"d": null}}}}}']),
        ([f"{DEEP}=none.pth"], [f"{DEEP}=none.pth"]),
        ([DEEP], [DEEP]),
        (["--data.init_args.seed=null", "--ckpt_path", "null"], ["--data.init_args.seed=null", "--ckpt_path", "null"]),
        ([], []),
    ],
)  # fmt: skip
def test_the_words_of_a_command(words: list[str], expected: list[str]) -> None:
    assert understood(words) == expected


@pytest.mark.parametrize("null", [[f"{DEEP}=null"], [DEEP, "null"]])
def test_a_backbone_without_weights(null: list[str]) -> None:
    given = ["--config", "configs/captioning/scenes-soft.yaml", *null, "--data.init_args.backbone.init_args.size=64"]
    command = Command([*given, "--trainer.logger=false", "--trainer.callbacks=null"], run=False)
    backbone = command.config["data"]["init_args"]["backbone"]["init_args"]
    assert backbone["weights"] is None
    assert (backbone["layer"], backbone["size"]) == ("features.6", 64)
