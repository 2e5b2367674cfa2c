"""Our batch norm against nn.BatchNorm2d, forward + backward; and what folding saves.

    python -m benchmarks.bench_norm

Ratios of medians, measured in one run with interleaved arms. On 2 cores with torch 2.14: eager
1.5 to 1.9 (aim: at most 2), compiled 1.5 to 1.8, plain autograd 4 to 9.
"""

import shutil
import statistics
import time
from collections.abc import Callable

import torch
from torch import nn

from bnlib.norm import BatchNorm, NaiveBatchNorm
from bnlib.norm.fold import fold

SHAPE = (128, 64, 32, 32)  # (N, C, H, W)
REPEATS = 15
BASE, UNFOLDED = "nn.BatchNorm2d", "conv + BN"


def training_arms(device: torch.device) -> dict[str, Callable[[], None]]:
    """Forward + backward, as in a training step."""
    channels = SHAPE[1]
    x, dy = torch.randn(2, *SHAPE, device=device)
    theirs, ours, naive, inner = (
        kind(channels).to(device) for kind in (nn.BatchNorm2d, BatchNorm, NaiveBatchNorm, BatchNorm)
    )
    layers = {BASE: theirs, "ours, eager": ours, "plain autograd": naive}
    if device.type == "cuda" or shutil.which("g++"):
        layers["ours, compiled"] = torch.compile(inner)
    else:
        print("ours, compiled: skipped, torch.compile needs a C++ compiler (g++)")
    return {
        name: lambda bn=bn: bn(x.detach().requires_grad_()).backward(dy)
        for name, bn in layers.items()
    }


def inference_arms(device: torch.device) -> dict[str, Callable[[], None]]:
    """A convolution with batch norm in evaluation mode, and the two folded into one."""
    conv, bn = nn.Conv2d(64, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64)
    x = torch.randn(16, *SHAPE[1:], device=device)
    both, one = nn.Sequential(conv, bn).eval().to(device), fold(conv, bn).to(device)
    return {UNFOLDED: torch.no_grad()(lambda: both(x)), "folded": torch.no_grad()(lambda: one(x))}


def compare(title: str, arms: dict[str, Callable[[], None]], base: str) -> None:
    synchronize = torch.cuda.synchronize if torch.cuda.is_available() else lambda: None
    times = {name: [] for name in arms}
    for repeat in range(-2, REPEATS):  # the first two compile and warm the caches
        for name, arm in arms.items():
            synchronize()
            start = time.perf_counter()
            arm()
            synchronize()
            if repeat >= 0:
                times[name].append(time.perf_counter() - start)
    unit = statistics.median(times[base])
    print(f"{title}: ratio to {base}, median [quartiles] of {REPEATS} interleaved repeats")
    for name, taken in times.items():
        low, middle, high = (t / unit for t in statistics.quantiles(taken, n=4))
        print(f"  {name:16} {middle:5.2f} [{low:.2f}, {high:.2f}]")


def main() -> None:
    torch.manual_seed(0)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    print(f"{device}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    compare(f"batch norm, forward + backward at {SHAPE}", training_arms(device), BASE)
    compare("inference, convolution and batch norm", inference_arms(device), UNFOLDED)


if __name__ == "__main__":
    main()
