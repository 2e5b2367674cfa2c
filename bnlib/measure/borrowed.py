"""Anyone's network on loan: measured in training mode, and given back as it was to the last bit.

While it is on loan its trainable parameters and its buffers live in copies; their own memory is not
written to. At the end the parameters, buffers and training flags are back, and everything that
random numbers are drawn from stands where it stood. No optimiser and no ``.grad`` is touched.
"""

import contextlib
import math
import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from bnlib.errors import BookError
from bnlib.measure.loan import Loan, full_precision
from bnlib.models.dropout import noises

Criterion = Callable[[Any, Any], Tensor]
Batch = tuple[Any, Any]


class Draws:
    """Everything that a network may draw random numbers from: the generators of its devices, those
    that its layers keep, and Python's."""

    def __init__(self, model: nn.Module):
        devices = {p.device for p in model.parameters() if p.device.type == "cuda"}
        kept = [v for m in model.modules() for v in vars(m).values()]
        self.generators = [
            torch.default_generator,
            *(torch.cuda.default_generators[device.index] for device in devices),
            *(noise.generator for noise in noises(model)),
            *(value for value in kept if isinstance(value, torch.Generator)),
        ]
        self.states = [generator.get_state() for generator in self.generators]
        self.pythons = random.getstate()

    def again(self) -> None:
        """From where they stood when this was made."""
        for generator, state in zip(self.generators, self.states, strict=True):
            generator.set_state(state)
        random.setstate(self.pythons)


@contextlib.contextmanager
def borrowed(model: nn.Module, criterion: Criterion, batch: Batch) -> Iterator[Loan]:
    """``model`` as a loan whose loss is ``criterion(model(inputs), targets)`` on ``batch``."""
    params = [p for p in model.parameters() if p.requires_grad]
    if not params:
        raise BookError(
            f"this {type(model).__name__} has no trainable parameter: set requires_grad on some"
        )
    inputs, targets = _parts(batch)
    with as_it_was(model) as again:

        def loss() -> Tensor:
            again()
            found = criterion(outputs(model, inputs), targets)
            if not isinstance(found, Tensor) or found.numel() != 1 or not found.requires_grad:
                raise BookError(
                    "criterion(outputs, targets) gives one number that depends on the model's "
                    f"trainable parameters, not {_described(found)}"
                )
            return found.squeeze()

        own = [p.data for p in params]
        theta, moved = ([p.detach().clone() for p in params] for _ in range(2))
        try:
            for p, copy in zip(params, moved, strict=True):
                p.data = copy
            model.train()
            yield Loan(params, theta, loss, written=moved)
        finally:
            for p, data in zip(params, own, strict=True):
                p.data = data


@contextlib.contextmanager
def as_it_was(model: nn.Module) -> Iterator[Callable[[], None]]:
    """Around whatever runs ``model``: its buffers are copies meanwhile, and afterwards they, the
    training flags and the random states are as before. The function that it gives puts buffers and
    random states back in between, so that every pass through the network is the same. Products are
    as precise as the numbers, whatever training takes."""
    draws = Draws(model)
    flags = [(module, module.training) for module in model.modules()]
    buffers = [
        (module, name, buffer)
        for module in model.modules()
        for name, buffer in module._buffers.items()
        if buffer is not None
    ]
    copies = {id(buffer): buffer.clone() for _, _, buffer in buffers}  # some may be shared
    tensors = [*model.parameters(), *(buffer for _, _, buffer in buffers)]

    @torch.no_grad()
    def again() -> None:
        draws.again()
        for module, name, buffer in buffers:
            module._buffers[name] = copies[id(buffer)].copy_(buffer)

    try:
        again()
        with contextlib.ExitStack() as stack:
            stack.enter_context(full_precision())
            for kind in {tensor.device.type for tensor in tensors}:
                stack.enter_context(torch.autocast(kind, enabled=False))
            yield again
    finally:
        for module, name, buffer in buffers:
            module._buffers[name] = buffer
        for module, training in flags:
            module.training = training
        draws.again()


def outputs(model: nn.Module, inputs: Any) -> Any:
    """``model`` of one input, of several in a tuple or a list, or of several by name."""
    if isinstance(inputs, Mapping):
        return model(**inputs)
    return model(*inputs) if isinstance(inputs, tuple | list) else model(inputs)


def finite(loss: Tensor) -> float:
    """The loss as a number; from one that is none nothing can be measured."""
    value = float(loss.detach())
    if not math.isfinite(value):
        raise BookError(
            f"the loss of this batch is {value}: look for a learning rate that was too large, or "
            "for inputs that are not finite"
        )
    return value


def _parts(batch: Batch) -> Batch:
    if not isinstance(batch, tuple | list) or len(batch) != 2:
        raise BookError(f"a batch is (inputs, targets), not {_described(batch)}")
    return batch[0], batch[1]


def _described(thing: Any) -> str:
    if isinstance(thing, Tensor):
        return f"a tensor of shape {tuple(thing.shape)} with requires_grad {thing.requires_grad}"
    return f"a {type(thing).__name__} of {len(thing)}" if hasattr(thing, "__len__") else repr(thing)
