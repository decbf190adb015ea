#!/usr/bin/env bash
# lightning 2.6.6: a run of ten updates, two epochs of five batches, is stopped by max_steps where the first epoch ends, and
# resumed from ModelCheckpoint's last.ckpt with a larger max_steps. It then takes the finished epoch for one that lacks a
# batch: it trains on batch 0 and ends that epoch again, and only then begins the second one. Of the ten updates batch 0 has
# three and batch 4 one, and the epochs are counted as three. Ended by max_epochs at the same place, it resumes as expected.
#
# Output seen:
#   ten updates at once: 0 1 2 3 4 0 1 2 3 4, epochs 2
#   max_steps 5, then 10: 0 1 2 3 4 | 0 0 1 2 3, epochs 3
#   max_epochs 1, then 2: 0 1 2 3 4 | 0 1 2 3 4, epochs 2
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'torch==2.14.1' 'lightning==2.6.6' 'numpy==2.4.6' 2>/dev/null
cat >"$folder/train.py" <<'PY'
import sys

import lightning as L
import torch
from lightning.pytorch.callbacks import ModelCheckpoint

FOLDER = sys.argv[1]


class Seen(L.LightningModule):
    """Notes which batches it is trained on."""

    def __init__(self):
        super().__init__()
        self.layer, self.seen = torch.nn.Linear(1, 1), []

    def training_step(self, batch, batch_idx):
        self.seen.append(int(batch[0]))
        return self.layer(batch[0].unsqueeze(1)).sum()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.0)


def train(name, checkpoint=None, **length):
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.arange(5.0)))
    model = Seen()
    trainer = L.Trainer(
        callbacks=[ModelCheckpoint(f"{FOLDER}/{name}", save_last=True, save_top_k=0)], logger=False,
        enable_progress_bar=False, enable_model_summary=False, accelerator="cpu", **length,
    )
    trainer.fit(model, data, ckpt_path=checkpoint)
    return " ".join(map(str, model.seen)), f"epochs {trainer.current_epoch}"


once, epochs = train("once", max_steps=10, max_epochs=-1)
print(f"ten updates at once: {once}, {epochs}")
before, _ = train("steps", max_steps=5, max_epochs=-1)
after, epochs = train("steps2", f"{FOLDER}/steps/last.ckpt", max_steps=10, max_epochs=-1)
print(f"max_steps 5, then 10: {before} | {after}, {epochs}")
before, _ = train("epochs", max_epochs=1)
after, epochs = train("epochs2", f"{FOLDER}/epochs/last.ckpt", max_epochs=2)
print(f"max_epochs 1, then 2: {before} | {after}, {epochs}")
PY
"$folder/venv/bin/python" "$folder/train.py" "$folder" 2>/dev/null | grep epochs | tee "$folder/out"
diff "$folder/out" <(sed -n 's/^#   \(.*epochs [0-9]\)$/\1/p' "$0")
