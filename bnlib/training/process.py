"""What holds for the whole process while it trains: threads, precision, determinism.

Put once by whoever owns the process (a timing, a set of runs), never by a run: runs that take turns
must not find each other's settings.
"""

import contextlib
import os
from collections.abc import Iterator

import torch

THREADS = 1  # on a CPU; part of the protocol: a sum's bits depend on the number


@contextlib.contextmanager
def settings(precision: str, device: str) -> Iterator[None]:
    """Products of float32 numbers in TF32 or not; the same bits each time; put back afterwards."""
    cudnn, uninitialised = torch.backends.cudnn, torch.utils.deterministic
    before = (
        torch.get_default_dtype(),
        torch.get_num_threads(),
        torch.get_float32_matmul_precision(),
        (cudnn.allow_tf32, cudnn.deterministic, cudnn.benchmark),
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        uninitialised.fill_uninitialized_memory,
    )
    torch.set_default_dtype(torch.float32)  # whatever a notebook computes in
    tf32 = precision == "tf32"
    if device == "cpu":
        torch.set_num_threads(THREADS)
    if device.startswith("cuda"):
        # cuBLAS shares a workspace among streams unless told otherwise: bits would depend on turns
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True, warn_only=True)
        uninitialised.fill_uninitialized_memory = False
    torch.set_float32_matmul_precision("high" if tf32 else "highest")
    cudnn.allow_tf32, cudnn.deterministic, cudnn.benchmark = tf32, True, False
    try:
        yield
    finally:
        dtype, threads, products, of_cudnn, deterministic, warn, fill = before
        torch.set_default_dtype(dtype)
        torch.set_num_threads(threads)
        torch.set_float32_matmul_precision(products)
        cudnn.allow_tf32, cudnn.deterministic, cudnn.benchmark = of_cudnn
        torch.use_deterministic_algorithms(deterministic, warn_only=warn)
        uninitialised.fill_uninitialized_memory = fill
