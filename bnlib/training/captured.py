"""A function without arguments as one CUDA graph: a single launch replays all of it.

On a CPU the function is simply called. Where a capture is refused (an optimiser that reads the
host, say), it is called on a GPU too, and ``mode`` tells why.
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

WARM_UP = (
    3  # calls before a capture: libraries choose their algorithms, optimisers make their state
)

Changed = Callable[[], Iterable[Tensor]]


def warm_up(function: Callable[[], None], changed: Changed, noise: list[torch.Generator]) -> None:
    """Call ``function`` a few times and take back all that it did.

    Tensors that ``changed`` names only afterwards have come to be meanwhile: an optimiser's state,
    which starts at zero."""
    before = {id(tensor): (tensor, tensor.detach().clone()) for tensor in changed()}
    states = [generator.get_state() for generator in noise]
    for _ in range(WARM_UP):
        function()
    with torch.no_grad():
        for tensor in changed():
            if id(tensor) in before:
                tensor.copy_(before[id(tensor)][1])
            else:
                tensor.zero_()
    for generator, state in zip(noise, states, strict=True):
        generator.set_state(state)


class Captured:
    """``function`` writes only to the tensors that ``changed()`` gives, draws only from ``noise``,
    and reads nothing on the host."""

    def __init__(
        self,
        function: Callable[[], None],
        device: torch.device,
        changed: Changed,
        noise: Iterable[torch.Generator] = (),
    ):
        self.replay, self.mode = function, "eager"
        if device.type == "cuda":
            self._capture(function, changed, list(noise))

    def __call__(self) -> None:
        self.replay()

    def _capture(
        self, function: Callable[[], None], changed: Changed, noise: list[torch.Generator]
    ) -> None:
        here, aside = torch.cuda.current_stream(), torch.cuda.Stream()
        aside.wait_stream(here)
        with torch.cuda.stream(aside):
            warm_up(function, changed, noise)
        here.wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        for generator in noise:
            graph.register_generator_state(generator)
        try:
            with torch.cuda.graph(graph, capture_error_mode="thread_local"):
                function()
        except RuntimeError as refused:
            torch.cuda.synchronize()
            self.mode = f"eager ({str(refused).splitlines()[0]})"
        else:
            self.replay, self.mode = graph.replay, "graph"
