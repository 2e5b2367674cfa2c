"""Tables that fill up row by row on the device, so that a sample that is replayed as a CUDA graph
goes on to the next row without the host's help."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor


class Rows:
    """One table for each name, of ``count`` rows of its shape, like ``like`` in type and device."""

    def __init__(self, count: int, like: Tensor, **shapes: tuple[int, ...]):
        self.count = count
        self.tables = {name: like.new_zeros(count, *shape) for name, shape in shapes.items()}
        self.written = torch.zeros(1, dtype=torch.long, device=like.device)

    def next(self) -> Tensor:
        """(1,): the row to come. Behind the last one comes the first again: what warms up for a
        graph may write more rows than there are, before it takes them back."""
        return self.written % self.count

    def write(self, **row: Tensor) -> None:
        """The next row of every table."""
        place = self.next()
        for name, table in self.tables.items():
            table.index_copy_(0, place, row.pop(name).unsqueeze(0))
        if row:
            raise TypeError(f"no table for {', '.join(row)}")
        self.written += 1

    def changed(self) -> Iterator[Tensor]:
        """What ``write`` writes to."""
        yield from self.tables.values()
        yield self.written

    def read(self) -> dict[str, np.ndarray]:
        """The rows that were written."""
        written = int(self.written)
        return {name: table[:written].cpu().numpy() for name, table in self.tables.items()}
