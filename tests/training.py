"""Training runs whose network a test can look at afterwards."""

import contextlib
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from bnlib import models
from bnlib.recipe import Recipe
from bnlib.run import Run
from bnlib.training.together import train


@contextlib.contextmanager
def keeping_models() -> Iterator[list[nn.Module]]:
    """The networks that are built inside, in their order."""
    kept: list[nn.Module] = []
    build = models.build
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "build", lambda recipe: kept.append(build(recipe)) or kept[-1])
        yield kept


def trained(recipe: Recipe) -> tuple[Run, nn.Module]:
    """The run of ``recipe`` and the network at its end."""
    with keeping_models() as kept:
        run = train(recipe)
    (model,) = kept  # Module.to moves a module in place
    return run, model


def bits(model: nn.Module) -> str:
    """A digest of every bit of a network's weights and buffers."""
    digest = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        digest.update(name.encode() + tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()


if __name__ == "__main__":  # in a process of its own: argv[1] is a recipe as JSON
    import sys

    run, model = trained(Recipe.restore(json.loads(sys.argv[1])))
    run.history.pop("seconds")
    answer = {"bits": bits(model), "history": run.history, "threads": torch.get_num_threads()}
    Path(sys.argv[2]).write_text(json.dumps(answer))
