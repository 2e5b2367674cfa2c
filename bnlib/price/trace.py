"""The kernels of a function, counted on tensors that have a shape and no numbers."""

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

NARROW = 8  # channels: fewer leave most of a CPU's vector register empty
ALLOCATIONS = ("empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided")


class Kernel(NamedTuple):
    launches: int
    flop: int  # of convolutions and products of matrices; all else is priced by its bytes
    bytes: int  # read and written, each operand once
    precision: str  # of the products
    narrow: bool = False  # a convolution from or to few channels: slow on a CPU


class Pass:
    """The kernels of one pass, such as a training step. Two passes are never equal."""

    def __init__(self, kernels: list[Kernel]):
        self.kernels = tuple(kernels)
        self.launches = sum(k.launches for k in kernels)
        self.flop = sum(k.flop for k in kernels)
        self.bytes = sum(k.bytes for k in kernels)

    def __repr__(self) -> str:
        return f"Pass({self.launches} launches, {self.flop:.3g} FLOP, {self.bytes:.3g} bytes)"


Work = Counter[Pass]  # how often each pass is made; works add


def total(work: Work, what: str) -> int:
    """All ``launches``, ``flop`` or ``bytes`` of ``work``."""
    return sum(getattr(one, what) * times for one, times in work.items())


def trace(make: Callable[[], Callable[[], Any]], tf32: bool = False) -> Pass:
    """The kernels of what ``make`` gives, not those of the making."""
    with FakeTensorMode(allow_fallback_kernels=False), _Kernels(tf32) as kernels:
        function = make()
        kernels.found.clear()
        function()
    return Pass(kernels.found)


class _Kernels(TorchDispatchMode):
    """Notes every operation that would launch a kernel on a GPU."""

    def __init__(self, tf32: bool):
        super().__init__()
        self.tf32 = tf32
        self.found: list[Kernel] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None) -> Any:
        kwargs = kwargs or {}
        fused = func.overloadpacket.__name__.startswith("_fused_")  # an optimiser, in place:
        out = None if fused else func(*args, **kwargs)  # torch has no version without numbers
        if launches := _launches(func, args):
            count = flop_registry.get(func.overloadpacket)
            flop = count(*args, **kwargs, out_val=out) if count else 0
            tensors = [x for x in tree_leaves((args, kwargs, out)) if isinstance(x, Tensor)]
            size = sum(x.numel() * x.element_size() for x in tensors)
            half = any(x.dtype == torch.bfloat16 for x in tensors)
            precision = "bf16" if half else "tf32" if self.tf32 else "fp32"
            self.found.append(Kernel(launches, flop, size, precision, _narrow(func, args)))
        return out


def _launches(func: torch._ops.OpOverload, args: tuple) -> int:
    """None of views and allocations, one of most operations, and one for each part of some."""
    name = func.overloadpacket.__name__
    if func.namespace != "aten" or func.is_view or name in ALLOCATIONS:
        return 0
    if name == "convolution":
        return 1 if args[2] is None else 2  # the bias is added afterwards
    if name == "convolution_backward":
        return sum(args[-1])  # by the input, the weight and the bias, where wanted
    return 1


def _narrow(func: torch._ops.OpOverload, args: tuple) -> bool:
    place = {"convolution": 1, "convolution_backward": 2}.get(func.overloadpacket.__name__)
    return place is not None and min(args[place].shape[:2]) < NARROW
