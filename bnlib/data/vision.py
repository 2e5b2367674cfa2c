"""The data sets: read once, standardised, and resident on the device.

Images are kept as (N, height, width, channels), so that gathering a batch copies whole rows and
the permuted view is already in the ``channels_last`` format that convolutions like best.
"""

import contextlib
import functools
import hashlib
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bnlib.catalogue import DATASETS
from bnlib.data import shapes
from bnlib.errors import BookError, NoData
from bnlib.paths import RAW
from bnlib.seeds import stream

CHECKSUMS = {  # sha256 of the decoded arrays; None: torchvision's own check of the file is used
    "mnist": "1e35582d42a90940c55b956deb61875c020b567ed20e3c5b174f52bf7809ed9b",
    "cifar10": "6b3883dca6c867f1e58def548c063d1865569b8575fcbce06b3e468a89f9895a",
    "cifar100": "ce046832bab115ddc5dec09ddaeb8339c7a9fc00cb9d3f6aebdfd619f125d129",
    "svhn": None,
}


@dataclass(frozen=True)
class Split:
    images: Tensor  # (N, H, W, C) float32, standardised
    labels: Tensor  # (N,) int64

    def __len__(self) -> int:
        return len(self.labels)

    def gather(self, index: Tensor, images: Tensor, labels: Tensor) -> None:
        """Copy the rows ``index`` into the fixed buffers of a batch."""
        torch.index_select(self.images, 0, index, out=images)
        torch.index_select(self.labels, 0, index, out=labels)


@dataclass(frozen=True)
class Data:
    train: Split
    val: Split  # a fixed tenth of the training set, never trained on
    test: Split
    classes: tuple[str, ...]
    mean: Tensor  # (C,) of the training part's pixels in [0, 1]
    std: Tensor  # (C,)
    checksum: str  # sha256 of what was read

    @property
    def background(self) -> Tensor:
        """(C,) a black pixel as standardised: what pictures are padded with."""
        return -self.mean / self.std


def as_input(images: Tensor) -> Tensor:
    """(B, H, W, C) rows as the (B, C, H, W) view, channels_last, that a network takes."""
    return images.permute(0, 3, 1, 2)


def absent(datasets: Iterable[str]) -> dict[str, str]:
    """Which of the data sets are neither here nor to be had, and why."""
    found = {}
    for dataset in datasets:
        try:
            if not DATASETS[dataset].built_in:
                _read(dataset)
        except NoData as why:
            found[dataset] = str(why)
    return found


def load(
    dataset: str,
    image_size: int = 32,
    device: str | torch.device = "cpu",
    standardise: str = "channel",
) -> Data:
    """The data set ``dataset``, split, standardised and moved to ``device``.

    Each channel by its own mean and standard deviation, or, ``standardise`` "scalar", all by those
    of all. Images are padded to ``image_size``, but to no more than 32: a network that wants larger ones
    scales them up itself, so that what is resident stays small."""
    device = torch.empty(0, device=device).device  # "cuda" is "cuda:0"
    return resident(dataset, min(image_size, 32), device, standardise)


@functools.lru_cache(maxsize=2)
def resident(dataset: str, side: int, device: torch.device, standardise: str) -> Data:
    """One copy of each data set on a device, however it was asked for."""
    train_x, train_y, test_x, test_y, classes = _read(dataset)
    checksum = _sha256(train_x, train_y, test_x, test_y)
    if CHECKSUMS.get(dataset) not in (None, checksum):
        raise BookError(
            f"data set {dataset!r} in {RAW} is damaged (its checksum is wrong): "
            f"delete its folder there and run again"
        )
    chosen = torch.randperm(len(train_y), generator=stream("validation", DATASETS[dataset].grey_of or dataset))
    held = len(train_y) // 10
    pixels = torch.from_numpy(train_x[chosen[held:].numpy()]).float().div_(255)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # a sum's bits depend on the number, and what is loaded is kept
    if standardise == "scalar":
        channels = pixels.shape[-1]
        mean, std = (x.expand(channels) for x in (pixels.mean(), pixels.std(correction=0)))
    else:
        mean, std = pixels.mean((0, 1, 2)), pixels.std((0, 1, 2), correction=0)
    torch.set_num_threads(threads)

    def split(x: np.ndarray, y: np.ndarray) -> Split:
        images = torch.from_numpy(x).float().div_(255)
        pad = (side - images.shape[1]) // 2
        images = torch.nn.functional.pad(images, (0, 0, pad, pad, pad, pad))  # background is 0
        images.sub_(mean).div_(std)
        return Split(images.to(device), torch.from_numpy(y).long().to(device))

    train, val = chosen[held:].numpy(), chosen[:held].numpy()
    return Data(
        train=split(train_x[train], train_y[train]),
        val=split(train_x[val], train_y[val]),
        test=split(test_x, test_y),
        classes=tuple(classes),
        mean=mean,
        std=std,
        checksum=checksum,
    )


def _read(dataset: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """Bytes (N, H, W, C) and labels of the training and the test set, and the class names."""
    known = DATASETS[dataset]
    if known.grey_of:
        return _in_grey(*_read(known.grey_of))
    if not known.built_in:
        return _torchvision(dataset)
    if dataset == "digits":
        return _digits()
    return *shapes.draw(6000, seed=1), *shapes.draw(1000, seed=2), list(shapes.CLASSES)


def _in_grey(
    train: np.ndarray, train_labels: np.ndarray, test: np.ndarray, *rest: Any
) -> tuple[Any, ...]:
    """Each pixel's luma (ITU-R BT.601), rounded to a byte."""
    weights = np.array([299, 587, 114], dtype=np.uint32)  # thousandths: whole numbers, no rounding

    def grey(x: np.ndarray) -> np.ndarray:
        return ((x @ weights + 500) // 1000).astype(np.uint8)[..., None]

    return grey(train), train_labels, grey(test), *rest


def _digits() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """scikit-learn's 1,797 handwritten digits, 8×8 with 17 grey levels, scaled to MNIST's 28×28."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    large = (bunch.images * (255 / 16)).repeat(7, 1).repeat(7, 2)  # 56×56, then 2×2 averaged
    images = large.reshape(-1, 28, 2, 28, 2).mean((2, 4)).astype(np.uint8)[..., None]
    labels = bunch.target.astype(np.int64)
    return images[300:], labels[300:], images[:300], labels[:300], list("0123456789")


def _torchvision(dataset: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, list[str]]:
    from torchvision import datasets

    kind = {
        "mnist": datasets.MNIST,
        "svhn": datasets.SVHN,
        "cifar10": datasets.CIFAR10,
        "cifar100": datasets.CIFAR100,
    }[dataset]
    if dataset == "svhn":
        parts = [{"split": "train"}, {"split": "test"}]
    else:
        parts = [{"train": True}, {"train": False}]
    try:
        train, test = (kind(RAW, download=False, **part) for part in parts)
    except Exception:  # absent or damaged: torchvision says so in several ways
        try:
            with contextlib.redirect_stdout(sys.stderr):
                train, test = (kind(RAW, download=True, **part) for part in parts)
        except Exception as reason:
            built_in = ", ".join(repr(name) for name, known in DATASETS.items() if known.built_in)
            said = str(reason).splitlines() or [type(reason).__name__]  # an assertion says nothing
            raise NoData(
                f"data set {dataset!r} is missing or damaged in {RAW} and could not be downloaded "
                f"({said[0]}): connect to the network, put torchvision's files there, or choose "
                f"a dataset that is built in: {built_in}"
            ) from None
    arrays = []
    for part in (train, test):
        images = np.asarray(part.data)
        if dataset == "svhn":
            images = images.transpose(0, 2, 3, 1)
        labels = np.asarray(part.labels if dataset == "svhn" else part.targets)
        arrays += [images[..., None] if images.ndim == 3 else images, labels.astype(np.int64)]
    classes = getattr(train, "classes", [str(digit) for digit in range(10)])
    return *arrays, [name.split(" - ")[0] for name in classes]


def _sha256(*arrays: np.ndarray) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
