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

EXHIBITS = "exhibits.json"
"""What the trained model shows."""
