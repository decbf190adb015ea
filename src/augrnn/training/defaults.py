"""The Trainer's settings that every run has unless its config says otherwise."""

from typing import Any

TRAINER: dict[str, Any] = {
    "accelerator": "auto",
    "devices": 1,
    "gradient_clip_algorithm": "norm",
    "log_every_n_steps": 50,
    "num_sanity_val_steps": 0,
    "reload_dataloaders_every_n_epochs": 1,
}
"""Options of Lightning's Trainer, where they differ from Lightning's own defaults."""
