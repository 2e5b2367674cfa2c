"""The norms, the networks and the data sets that the book knows, one entry each.

What an entry says is said nowhere else: recipes, layers, networks, figures and claims read it.
To add a norm, write its entry and its line in ``norm/layers.py``; to add a network, its
entry and the module of ``bnlib.models`` that builds it. Nothing here needs torch.
"""

from dataclasses import dataclass
from typing import TypeVar

from bnlib.errors import BookError

Entry = TypeVar("Entry")


class Catalogue(dict[str, Entry]):
    """Entries by name; asked for a name that it does not have, it says which there are."""

    def __init__(self, kind: str, **entries: Entry):
        super().__init__(entries)
        self.kind = kind

    def __missing__(self, name: str) -> Entry:
        raise BookError(f"unknown {self.kind} {name!r}: choose one of {', '.join(self)}")


@dataclass(frozen=True)
class Norm:
    label: str
    colour: str
    dash: str | tuple[float, tuple[float, ...]]  # matplotlib's linestyle
    centres: bool  # takes away each channel's mean: a bias in the layer before it does nothing
    averages: bool  # keeps running averages, and evaluates with them
    timed: bool = False  # a part of every timing that names no norms
    noise: bool = False  # in training, noise whose distribution changes at every step follows it


@dataclass(frozen=True)
class Net:
    label: str
    module: str  # of bnlib.models: its ``build`` makes the network
    layers: int  # with weights, shortcuts not counted
    sizes: tuple[int, ...]  # pixels a side of the images it takes
    scales: bool = True  # all its layers take the recipe's width
    dropout: tuple[str, ...] = ()  # where it can stand


@dataclass(frozen=True)
class Dataset:
    label: str
    channels: int
    size: int  # its images' pixels a side
    images: int  # of the training part, a tenth held out for validation
    classes: int = 10
    built_in: bool = False  # needs no download
    grey_of: str = ""  # the set in colour that has the same images, split the same way


# Colours are Okabe & Ito's palette, told apart by the colour-blind and of different lightness in
# grey, and some that keep their distance from it and from one another; dashed, for grey
NORMS = Catalogue(
    "norm",
    none=Norm("no norm", "#D55E00", "-", centres=False, averages=False, timed=True),
    # "batch" is bnlib's own, "torch" PyTorch's
    batch=Norm("batch norm", "#0072B2", "-", centres=True, averages=True, timed=True),
    torch=Norm("PyTorch's", "#56B4E9", (0, (4, 2)), centres=True, averages=True, timed=True),
    # batch norm in four lines, its backward pass left to autograd: only its time is of interest
    naive=Norm("by autograd", "#8A6D00", (0, (3, 1, 1, 1)), centres=True, averages=True),
    bare=Norm("BN without γ, β", "#5D8A2B", (0, (2, 1, 2, 3)), centres=True, averages=True),
    # centred as in batch norm, but divided by another norm
    l1=Norm("ℓ₁ norm", "#661100", (0, (5, 1.5, 1, 1.5)), centres=True, averages=True),
    l2=Norm("ℓ₂ norm", "#332288", (0, (6, 3)), centres=True, averages=True),
    linf=Norm("ℓ∞ norm", "#000000", (0, (1, 1.2)), centres=True, averages=True),
    # over channels and positions of one image
    group=Norm("group norm", "#A512F7", (0, (3, 1.5)), centres=False, averages=False),
    layer=Norm("layer norm", "#999933", (0, (4, 1, 1, 1, 1, 1)), centres=False, averages=False),
    # Santurkar et al.'s experiment: batch norm with noise behind it, and the noise alone
    noisy=Norm("noisy batch norm", "#1AA6A6", (0, (5, 2)), centres=True, averages=True, noise=True),
    noise=Norm("noise alone", "#EE9B7A", (0, (2, 1)), centres=False, averages=False, noise=True),
)

BOTH = ("fc", "conv")  # behind the hidden linear layers or behind the convolutions

NETS = Catalogue(
    "model",
    lenet=Net("LeNet", "lenet", 5, (28, 32), scales=False),
    mlp=Net("MLP", "mlp", 4, (28, 32), scales=False),
    alexnet=Net("AlexNet", "alexnet", 8, (32, 64, 224), dropout=BOTH),
    deep_cnn=Net("deep CNN", "deep_cnn", 12, (32,), dropout=("pair",)),
    resnet18=Net("ResNet-18", "resnet", 18, (32,)),
    resnet34=Net("ResNet-34", "resnet", 34, (32,)),
    resnet50=Net("ResNet-50", "resnet", 50, (32,)),
    resnet101=Net("ResNet-101", "resnet", 101, (32,)),
    resnet152=Net("ResNet-152", "resnet", 152, (32,)),
    vgg_a=Net("VGG-A", "vgg", 11, (32,), dropout=BOTH),
    vgg_a_light=Net("VGG-A Light", "vgg", 5, (32,), dropout=BOTH),
    vgg16=Net("VGG-16", "vgg", 16, (32,), dropout=BOTH),
)

DATASETS = Catalogue(
    "dataset",
    mnist=Dataset("MNIST", channels=1, size=28, images=54_000),
    svhn=Dataset("SVHN", channels=3, size=32, images=65_932),
    cifar10=Dataset("CIFAR-10", channels=3, size=32, images=45_000),
    cifar10_grey=Dataset("CIFAR-10 in grey", channels=1, size=32, images=45_000, grey_of="cifar10"),
    cifar100=Dataset("CIFAR-100", channels=3, size=32, images=45_000, classes=100),
    digits=Dataset("digits", channels=1, size=28, images=1_348, built_in=True),
    shapes=Dataset("shapes", channels=3, size=32, images=5_400, built_in=True),
)
