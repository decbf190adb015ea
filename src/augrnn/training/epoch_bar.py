"""The progress bar of `augrnn fit`."""

from lightning.pytorch.callbacks import RichProgressBar


class EpochBar(RichProgressBar):
    """Lightning's own bar, without a number of epochs where none is set: it would say "Epoch 33/-2"."""

    def _get_train_description(self, current_epoch: int) -> str:
        # No setting of the bar changes this text. Where Lightning no longer asks here, its own text is shown.
        return str(super()._get_train_description(current_epoch)).replace("/-2", "   ")
