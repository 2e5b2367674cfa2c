"""What a function asks of the device: operations, their constants, the memory they start from."""

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

READS = ("_local_scalar_dense", "item", "is_nonzero", "nonzero", "equal")  # by the host
MADE = ("lift_fresh", "scalar_tensor")  # on the host, from a list, say, and then moved


class Dispatched(TorchDispatchMode):
    """``operations``: of each its name, its arguments that are no tensors, of tensors the shape,
    and the address of those that were there before."""

    def __init__(self):
        super().__init__()
        self.operations: list[tuple[str, str]] = []
        self.names: list[str] = []
        self.made: set[int] = set()  # addresses
        self.kept: list[Any] = []  # everything, so that no address is used twice

    def __torch_dispatch__(self, op, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        self.names.append(op.overloadpacket.__name__)
        self.operations.append((str(op), repr(tree_map(self._constant, (args, kwargs)))))
        results = op(*args, **kwargs)
        self.made |= _addresses(results) - _addresses((args, kwargs))
        self.kept.append((args, kwargs, results))
        return results

    def forbidden(self) -> set[str]:
        return set(self.names) & {*READS, *MADE}

    def _constant(self, value: Any) -> Any:
        if isinstance(value, torch.Generator):
            return value._cdata
        if not isinstance(value, Tensor):
            return value
        return tuple(value.shape), "made" if _addresses(value) <= self.made else value.data_ptr()


def _addresses(tree: Any) -> set[int]:
    return {x.untyped_storage().data_ptr() for x in tree_leaves(tree) if isinstance(x, Tensor)}
