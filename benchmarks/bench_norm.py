"""Our batch norm against nn.BatchNorm2d: forward + backward at 128×64×32×32.

    python -m benchmarks.bench_norm

Ratios of medians, measured in one run with interleaved arms. On 2 cores with torch 2.14: eager
1.8 to 2.3 (aim: at most 2.5), compiled about 0.9 (aim: at most 1), plain autograd 4 to 9.
"""

import shutil
import statistics
import time

import torch
from torch import nn

from bnlib.norm import BatchNorm

SHAPE = (128, 64, 32, 32)  # (N, C, H, W)
REPEATS = 15
BASE = "nn.BatchNorm2d"


def plain(x: torch.Tensor, bn: nn.Module) -> torch.Tensor:
    """The forward pass in four lines, the backward pass left to autograd."""
    mean = x.mean((0, 2, 3), keepdim=True)
    var = (x - mean).square().mean((0, 2, 3), keepdim=True)
    x_hat = (x - mean) / torch.sqrt(var + bn.eps)
    return bn.weight.view(1, -1, 1, 1) * x_hat + bn.bias.view(1, -1, 1, 1)


def arms(device: torch.device) -> dict:
    torch.manual_seed(0)
    channels = SHAPE[1]
    theirs, ours, scratch, compiled = (
        kind(channels).to(device) for kind in (nn.BatchNorm2d, BatchNorm, nn.BatchNorm2d, BatchNorm)
    )
    found = {BASE: theirs, "ours, eager": ours, "plain autograd": lambda x: plain(x, scratch)}
    if device.type == "cuda" or shutil.which("g++"):
        found["ours, compiled"] = torch.compile(compiled)
    else:
        print("ours, compiled: skipped, torch.compile needs a C++ compiler (g++)")
    return found


def seconds(bn, x: torch.Tensor, dy: torch.Tensor) -> float:
    x = x.detach().requires_grad_()
    synchronize = torch.cuda.synchronize if x.is_cuda else lambda: None
    synchronize()
    start = time.perf_counter()
    bn(x).backward(dy)
    synchronize()
    return time.perf_counter() - start


def main() -> dict[str, float]:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    x, dy = torch.randn(2, *SHAPE, device=device)
    timed = arms(device)
    for bn in timed.values():  # compiles, and warms the caches
        seconds(bn, x, dy), seconds(bn, x, dy)
    times = {name: [] for name in timed}
    for _ in range(REPEATS):
        for name, bn in timed.items():
            times[name].append(seconds(bn, x, dy))
    base = statistics.median(times[BASE])
    print(f"forward + backward at {SHAPE}, {device}, {torch.get_num_threads()} threads,")
    print(f"{REPEATS} interleaved repeats: ratio to {BASE}, median [quartiles]")
    for name, taken in times.items():
        low, middle, high = (t / base for t in statistics.quantiles(taken, n=4))
        print(f"  {name:16} {middle:5.2f} [{low:.2f}, {high:.2f}]")
    return {name: statistics.median(taken) / base for name, taken in times.items()}


if __name__ == "__main__":
    main()
