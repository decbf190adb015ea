"""The names of the files in a run's folder."""

from pathlib import Path

LAST = Path("checkpoints", "last.ckpt")
"""What a run resumes from."""

MODEL = Path("checkpoints", "model.ckpt")
"""The weights that validation chose, where it chooses; else those of the last update count."""

CONFIG = "config.yaml"
"""The resolved config."""

METRICS = "metrics.csv"
"""What was logged."""

SUMMARY = "summary.json"
"""How the run ended, its measures and curves; there once it has ended."""

PROVENANCE = "provenance.json"
"""What the run trained with: the settings, the code, the machines and the time they took."""

LOG = "log.txt"
"""What the run's process wrote."""

EXHIBITS = "exhibits.json"
"""What the trained model shows."""

CURVES = "curves.png"
"""The learning curves of `augrnn fit`."""

WANDB_ID = "wandb-id.txt"
"""The id of the run on W&B, which a resumed run keeps."""
