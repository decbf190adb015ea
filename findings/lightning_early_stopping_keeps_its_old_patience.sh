#!/usr/bin/env bash
# lightning 2.6.6: EarlyStopping takes its patience from the checkpoint. Who sees that training has stopped too early, sets a
# larger patience and resumes from the last checkpoint, trains one epoch more and is stopped by the old patience again; the
# callback then shows the old number as its own. Its other options (min_delta, stopping_threshold) are those of the script.
#
# Output seen:
#   patience 2: stopped after 3 epochs
#   resumed with patience 6: stopped after 4 epochs, patience 2
#   from the beginning with patience 6: stopped after 7 epochs, patience 6
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'torch==2.14.1' 'lightning==2.6.6' 'numpy==2.4.6' 2>/dev/null
cat >"$folder/train.py" <<'PY'
import sys

import lightning as L
import torch
from lightning.pytorch.callbacks import EarlyStopping

FOLDER = sys.argv[1]


class Flat(L.LightningModule):
    """Its validation loss never gets better."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def training_step(self, batch, batch_idx):
        return self.layer(batch[0]).sum()

    def validation_step(self, batch, batch_idx):
        self.log("val/loss", 1.0)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.0)


def train(patience, checkpoint=None):
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.ones(2, 1)))
    stopping = EarlyStopping("val/loss", patience=patience)
    trainer = L.Trainer(
        max_epochs=20, callbacks=[stopping], logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, num_sanity_val_steps=0, accelerator="cpu",
    )
    trainer.fit(Flat(), data, data, ckpt_path=checkpoint)
    return trainer, stopping


trainer, stopping = train(2)
print(f"patience 2: stopped after {trainer.current_epoch} epochs")
trainer.save_checkpoint(f"{FOLDER}/last.ckpt")
trainer, stopping = train(6, f"{FOLDER}/last.ckpt")
print(f"resumed with patience 6: stopped after {trainer.current_epoch} epochs, patience {stopping.patience}")
trainer, stopping = train(6)
print(f"from the beginning with patience 6: stopped after {trainer.current_epoch} epochs, patience {stopping.patience}")
PY
"$folder/venv/bin/python" "$folder/train.py" "$folder" 2>/dev/null | grep stopped | tee "$folder/out"
diff "$folder/out" <(sed -n 's/^#   \(.*stopped\)/\1/p' "$0")
