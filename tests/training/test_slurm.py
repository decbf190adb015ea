"""Training in a SLURM allocation, where its variables are set but srun need not have started us."""

from pathlib import Path

import pytest

from augrnn.cli import main
from tests.tiny import CONFIG, tiny

BATCH = {"SLURM_JOB_ID": "7", "SLURM_JOB_NAME": "wrap", "SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_NODEID": "0"}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"SLURM_NTASKS": "2"}, ""),
        ({"SLURM_NTASKS": "4", "SLURM_NTASKS_PER_NODE": "4", "SLURM_NNODES": "2"}, ""),
        ({"SLURM_NTASKS": "2", "SLURM_STEP_ID": "0"}, "augrnn: error: You set `--ntasks=2`"),
    ],
    ids=["tasks", "tasks on nodes", "a step of two tasks"],
)
def test_fit_trains_alone_unless_srun_has_started_it(
    given: dict[str, str],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in {**BATCH, **given}.items():
        monkeypatch.setenv(name, value)
    options = [*CONFIG, *tiny(2), "--trainer.max_steps=2", "--trainer.enable_progress_bar=false"]
    code = main(["fit", *options, f"--trainer.default_root_dir={tmp_path}"])
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("augrnn: error")]
    assert code == (2 if told else 0)
    assert [told] == [line[: len(told)] for line in lines] if told else not lines
    assert (tmp_path / "metrics.csv").exists() == (not told)
