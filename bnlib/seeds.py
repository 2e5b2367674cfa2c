"""Random streams. Every draw of a run comes from a stream named by what it is used for.

A stream is drawn on the CPU whatever the training device is, so that two arms of a comparison,
or a CPU and a GPU, see the same initial weights and the same order of the data.
"""

import hashlib

import torch


def seed_of(*key: int | str) -> int:
    """A 63-bit seed that depends on nothing but ``key``: ``seed_of(seed, "order", epoch)``."""
    digest = hashlib.sha256("/".join(map(str, key)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def stream(*key: int | str) -> torch.Generator:
    """A CPU generator at the start of the stream ``key``."""
    return torch.Generator().manual_seed(seed_of(*key))
