"""One pass of each kind that a run is made of: as it is made, on a batch that means nothing.

Each is traced once for all recipes that agree in the fields that it depends on.
"""

import functools
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from bnlib import models
from bnlib.catalogue import DATASETS
from bnlib.data import as_input
from bnlib.measure.before import layers_of, shifts, some
from bnlib.measure.hessian import products
from bnlib.measure.loan import Loan
from bnlib.models.dropout import Noise, share
from bnlib.price.trace import Pass, trace
from bnlib.recipe import DeepLinear, Recipe
from bnlib.training import deep_linear
from bnlib.training.optim import make_optimizer
from bnlib.training.precise import averaging

NET = ("dataset", "image_size", "model", "width", "norm", "norm_at", "ghost", "activation")
LEARNER = ("dropout", "dropout_at", "optimizer", "momentum", "nesterov", "batch_size", "precision")


class Net:
    """The network of a recipe and a batch for it."""

    def __init__(self, recipe: Recipe, images: int):
        dataset = DATASETS[recipe.dataset]
        side = min(recipe.image_size, 32)  # what is resident; a network scales it up itself
        self.model = models.structure(recipe)
        share(self.model, Noise(recipe.seed))
        for weight in self.model.parameters():
            if weight.dim() == 4:
                weight.data = weight.data.to(memory_format=torch.channels_last)
        self.images = torch.randn(images, side, side, dataset.channels)
        self.labels = torch.randint(dataset.classes, (images,))

    def logits(self, bf16: bool = False) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            return self.model(as_input(self.images)).float()

    def loss(self) -> Tensor:
        return F.cross_entropy(self.logits(), self.labels)

    def by_batch(self) -> None:
        """Evaluation mode, but every norm by the statistics of the batch."""
        self.model.eval()
        for layer in averaging(self.model):
            layer.train()


def step(recipe: Recipe) -> Pass:
    """A training step."""
    return _step(_only(recipe, (*NET, *LEARNER)))


def evaluation(recipe: Recipe, images: int) -> Pass:
    """A batch of ``images`` evaluated."""
    return _evaluation(_only(recipe, (*NET, "precision")), images)


def forward(recipe: Recipe, images: int) -> Pass:
    """The outputs for ``images`` by their own statistics."""
    return _forward(_only(recipe, (*NET, "precision")), images)


def landscape_point(recipe: Recipe) -> Pass:
    """The weights moved, the loss, its gradient and the distance from another, in fp32."""
    return _landscape_point(_only(recipe, (*NET, "batch_size")))


def hessian_product(recipe: Recipe) -> Pass:
    """The Hessian's product with a vector, in fp32."""
    return _hessian_product(_only(recipe, (*NET, "batch_size")))


def deep_linear_step(recipe: DeepLinear) -> Pass:
    """A step of gradient descent with all samples; what a look adds costs little."""
    return _deep_linear_step(DeepLinear(norm=recipe.norm, layers=recipe.layers))


def shift_sample(recipe: Recipe) -> Pass:
    """The gradients of some layers, and each again with what comes before it moved, in fp32."""
    return _shift_sample(_only(recipe, (*NET, "batch_size")))


def plane_point(recipe: Recipe, images: int) -> Pass:
    """The weights moved along two directions and the loss of ``images``."""
    return _plane_point(_only(recipe, (*NET, "precision")), images)


def lengths(recipe: Recipe) -> Pass:
    """The norm of every weight and its distance from the start."""
    return _lengths(_only(recipe, NET))


def make_step(recipe: Recipe) -> Callable[[], None]:
    """A training step as the loop makes it: a batch gathered, forward, backward, the optimiser's
    step, the epoch's sums."""
    net = Net(recipe, recipe.batch_size)
    optimizer = make_optimizer(recipe, net.model.parameters(), torch.tensor(0.01))
    images, labels, index = net.images.clone(), net.labels.clone(), torch.arange(len(net.labels))
    total, right = torch.zeros(()), torch.zeros((), dtype=torch.long)

    def one() -> None:
        torch.index_select(images, 0, index, out=net.images)
        torch.index_select(labels, 0, index, out=net.labels)
        optimizer.zero_grad()
        logits = net.logits(recipe.precision == "bf16")
        loss = F.cross_entropy(logits, net.labels)
        loss.backward()
        optimizer.step()
        total.add_(loss.detach())
        right.add_((logits.argmax(1) == net.labels).sum())

    one()  # gradients and the optimiser's state are there from the second step on
    return one


def make_evaluation(recipe: Recipe, images: int) -> Callable[[], None]:
    """A batch in evaluation mode: logits, loss, class and confidence."""
    net = Net(recipe, images)
    net.model.eval()

    @torch.no_grad()
    def one() -> None:
        logits = net.logits()
        F.cross_entropy(logits, net.labels)
        logits.argmax(1)
        logits.softmax(1).amax(1)

    return one


def _only(recipe: Recipe, names: tuple[str, ...]) -> Recipe:
    return Recipe(**{name: getattr(recipe, name) for name in names})


@functools.cache
def _step(recipe: Recipe) -> Pass:
    return trace(lambda: make_step(recipe), recipe.precision == "tf32")


@functools.cache
def _evaluation(recipe: Recipe, images: int) -> Pass:
    return trace(lambda: make_evaluation(recipe, images), recipe.precision == "tf32")


@functools.cache
def _forward(recipe: Recipe, images: int) -> Pass:
    def make() -> Callable[[], Tensor]:
        net = Net(recipe, images)
        net.by_batch()
        return torch.no_grad()(net.logits)

    return trace(make, recipe.precision == "tf32")


@functools.cache
def _landscape_point(recipe: Recipe) -> Pass:
    def make() -> Callable[[], None]:
        net = Net(recipe, recipe.batch_size)
        params = list(net.model.parameters())
        theta, there = ([p.detach().clone() for p in params] for _ in range(2))

        def one() -> None:
            with torch.no_grad():
                torch._foreach_copy_(params, theta)
                torch._foreach_add_(params, there, alpha=-0.1)
            gradient = torch.autograd.grad(net.loss(), params)
            torch.stack(torch._foreach_norm(torch._foreach_sub(gradient, there)))

        return one

    return trace(make)


@functools.cache
def _hessian_product(recipe: Recipe) -> Pass:
    def make() -> Callable[[], None]:
        net = Net(recipe, recipe.batch_size)
        params = list(net.model.parameters())
        _, product = products(net.loss(), params)
        there = [p.detach().clone() for p in params]
        return lambda: product(there)

    return trace(make)


@functools.cache
def _deep_linear_step(recipe: DeepLinear) -> Pass:
    def make() -> Callable[[], None]:
        model = deep_linear.build(recipe)
        params = list(model.parameters())
        x, y = (torch.randn(recipe.samples, recipe.width, dtype=deep_linear.KIND) for _ in range(2))

        def one() -> None:
            g = torch.autograd.grad(deep_linear.loss_of(model, x, y), params)
            with torch.no_grad():
                torch._foreach_add_(params, g, alpha=-0.1)

        return one

    return trace(make)


@functools.cache
def _shift_sample(recipe: Recipe) -> Pass:
    def make() -> Callable[[], None]:
        net = Net(recipe, recipe.batch_size)
        params = list(net.model.parameters())
        theta, after = ([p.detach().clone() for p in params] for _ in range(2))
        layers = some(layers_of(net.model, params, net.loss))
        loan = Loan(params, theta, net.loss)

        def one() -> None:
            loan.stand(theta)
            shifts(loan, layers, after)

        return one

    return trace(make)


@functools.cache
def _plane_point(recipe: Recipe, images: int) -> Pass:
    def make() -> Callable[[], None]:
        net = Net(recipe, images)
        net.by_batch()
        weights = [p.detach() for p in net.model.parameters() if p.dim() > 1]
        start, one, two = ([w.clone() for w in weights] for _ in range(3))

        @torch.no_grad()
        def point() -> None:
            for w, centre, first, second in zip(weights, start, one, two, strict=True):
                w.copy_(centre + 0.1 * first + 0.1 * second)
            net.loss()

        return point

    return trace(make, recipe.precision == "tf32")


@functools.cache
def _lengths(recipe: Recipe) -> Pass:
    def make() -> Callable[[], None]:
        weights = [p.detach() for p in Net(recipe, 2).model.parameters() if p.dim() > 1]
        start = [w.clone() for w in weights]

        def one() -> None:
            torch.stack([w.norm() for w in weights])
            torch.stack([(w - first).norm() for w, first in zip(weights, start, strict=True)])

        return one

    return trace(make)
