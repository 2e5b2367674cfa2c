"""The accuracy that the LeNet review's evaluation would have shown, beside the true one.

Two mistakes, repeated here on a copy of the network: batch norm was switched off by
``torch.is_grad_enabled()`` while the test loop ran with gradients on, so every test batch was
normalised by its own statistics; and the counters of right and seen images were never set back
between epochs, so each epoch's accuracy was the mean over all epochs so far.
"""

import numpy as np
import torch
from torch import Tensor

from bnlib.data import as_input
from bnlib.measure.probe import Probe, Watched
from bnlib.models.twin import twin_of


class S2Evaluation(Probe):
    def __init__(self, watched: Watched):
        super().__init__(watched)
        self.right: list[Tensor] = []  # right test images by test-batch statistics, per epoch

    @torch.no_grad()
    def epoch(self, epoch: int) -> None:
        w = self.watched
        twin = twin_of(w.model, training=True)
        size, test = w.recipe.batch_size, w.data.test
        batches = zip(test.images.split(size), test.labels.split(size), strict=True)
        right = [
            (twin(as_input(images)).argmax(1) == labels).sum()
            for images, labels in batches
            if len(labels) > 1
        ]
        self.right.append(torch.stack(right).sum())

    def result(self) -> dict[str, np.ndarray]:
        right, seen = torch.stack(self.right).cpu().numpy(), len(self.watched.data.test)
        epochs = np.arange(1, len(right) + 1)
        return {
            "acc_test_batches": right / seen,  # the first mistake alone
            "acc_as_reported": right.cumsum() / (seen * epochs),  # both
        }
