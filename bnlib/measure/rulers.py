"""Rulers for anyone's network: what the book measures, as functions::

    from bnlib.measure.rulers import landscape

    found = landscape(model, criterion, (inputs, targets), steps=[0.05, 0.1, 0.2, 0.4])
    print(found)

``model`` is any ``nn.Module``. A batch is ``(inputs, targets)``: ``inputs`` a tensor, a tuple of
what the model takes, or a dictionary of it by name; ``targets`` whatever the criterion takes. The
loss is ``criterion(model(inputs), targets)``, one number; terms of its own, such as a penalty on
the weights of ``model``, count if the criterion reads them from ``model`` when it is called.

Every ruler runs the network in training mode (batch norm by the statistics of the batch), in full
float32 where it has that precision, each pass with the same random draws (dropout's masks, say) and
the same buffers. It gives the network back to the last bit as it was: parameters, buffers,
gradients, training flags, random states. What it returns holds numbers and no tensors, and printed
says what was measured.
"""

from bnlib.measure.by_layer import (
    GradientNorms,
    LayerShift,
    VarianceShift,
    gradient_norms,
    shift,
    variance_shift,
)
from bnlib.measure.surface import LossLine, Sharpness, landscape, sharpness

__all__ = [
    "GradientNorms",
    "LayerShift",
    "LossLine",
    "Sharpness",
    "VarianceShift",
    "gradient_norms",
    "landscape",
    "sharpness",
    "shift",
    "variance_shift",
]
