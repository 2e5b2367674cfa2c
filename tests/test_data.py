"""The data sets: split, standardised and padded as they should be."""

import hashlib

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch.nn import functional as F

from bnlib.data import vision as data
from bnlib.errors import BookError


def digest(*tensors: torch.Tensor) -> str:
    return hashlib.sha256(b"".join(t.contiguous().numpy().tobytes() for t in tensors)).hexdigest()


def digits() -> tuple[np.ndarray, np.ndarray]:
    """All 1,797 digits at 28×28, made another way than bnlib does."""
    bunch = load_digits()
    large = np.kron(bunch.images, np.ones((7, 7)))
    small = F.avg_pool2d(torch.from_numpy(large)[:, None], 2)[:, 0] * 255 / 16
    return np.floor(small.numpy()), bunch.target


def test_digits_are_sklearns_scaled_and_split():
    images, labels = digits()
    found = data.load("digits", 28)
    assert (len(found.train), len(found.val), len(found.test)) == (1348, 149, 300)
    assert len(found.classes) == 10

    def bytes_of(split):
        return ((split.images * found.std + found.mean) * 255).round()[..., 0].numpy()

    assert np.array_equal(bytes_of(found.test), images[:300])
    assert np.array_equal(found.test.labels, labels[:300])
    # the training and the validation part share no image and are the other 1,497 together
    rest = np.concatenate([bytes_of(found.train), bytes_of(found.val)])
    rest_labels = np.concatenate([found.train.labels, found.val.labels])
    both = [
        sorted((row.tobytes(), int(label)) for row, label in zip(x.astype("u1"), y, strict=True))
        for x, y in ((rest, rest_labels), (images[300:], labels[300:]))
    ]
    assert both[0] == both[1]


def test_digits_and_their_validation_part_never_change():
    found = data.load("digits")
    assert found.checksum == "512be170b4c25a1c098f9f70dfa6cdcb2904ba1e0ff672bd290b17d58b82945e"
    assert digest(found.val.labels)[:12] == "fd202c215be6"
    assert digest(found.train.labels[:100])[:12] == "65720498f3b6"


def test_standardised_by_the_training_part_only():
    found = data.load("digits", 28)
    train = ((found.train.images * found.std + found.mean) * 255).round().double() / 255
    assert found.mean.item() == pytest.approx(train.mean().item(), rel=1e-6)
    assert found.std.item() == pytest.approx(train.std(correction=0).item(), rel=1e-6)
    assert digits()[0].mean() / 255 != pytest.approx(train.mean().item(), rel=1e-5)  # of all


def test_the_bits_do_not_depend_on_the_callers_threads():
    seen, before = [], torch.get_num_threads()
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        data.resident.cache_clear()
        found = data.load("digits")
        seen.append(digest(found.mean, found.std, found.train.images, found.test.images))
        assert torch.get_num_threads() == threads
    torch.set_num_threads(before)
    assert len(set(seen)) == 1


def test_padded_with_background():
    small, large = data.load("digits", 28), data.load("digits", 32)
    for part in ("train", "val", "test"):
        x, y = getattr(small, part).images, getattr(large, part).images
        assert y.shape == (len(x), 32, 32, 1)
        assert torch.equal(y[:, 2:30, 2:30], x)
        frame = torch.ones(32, 32, dtype=torch.bool)
        frame[2:30, 2:30] = False
        background = (0 - large.mean) / large.std
        assert torch.equal(y[:, frame], background.expand(len(y), 240, 1))


def test_grey_is_the_same_images_in_luma(monkeypatch):
    colours = np.random.default_rng(5).integers(0, 256, (40, 32, 32, 3), dtype=np.uint8)
    labels = np.arange(40) % 10
    read = colours[:30], labels[:30], colours[30:], labels[30:], list("abcdefghij")
    monkeypatch.setattr(data, "_torchvision", lambda dataset: read)
    monkeypatch.setitem(data.CHECKSUMS, "cifar10", None)
    data.resident.cache_clear()
    colour, grey = data.load("cifar10"), data.load("cifar10_grey")
    data.resident.cache_clear()
    for part in ("train", "val", "test"):
        of = {name: getattr(some, part) for name, some in (("colour", colour), ("grey", grey))}
        assert torch.equal(of["colour"].labels, of["grey"].labels)
        lit = of["colour"].images * colour.std + colour.mean
        luma = (255 * lit) @ torch.tensor([0.299, 0.587, 0.114])
        seen = 255 * (of["grey"].images * grey.std + grey.mean)[..., 0]
        assert (seen - luma).abs().max() < 0.501  # rounded to a byte
        assert (seen - seen.round()).abs().max() < 1e-3


@pytest.mark.parametrize("size", [64, 224])
def test_pictures_above_32_pixels_are_left_to_the_network(size):
    small, large = data.load("digits", 32), data.load("digits", size)
    for part in ("train", "val", "test"):
        assert torch.equal(getattr(large, part).images, getattr(small, part).images)
        assert torch.equal(getattr(large, part).labels, getattr(small, part).labels)


def test_gather_copies_rows_into_the_buffers():
    split = data.load("digits").test
    images, labels = torch.empty(5, 32, 32, 1), torch.empty(5, dtype=torch.long)
    index = torch.randint(300, (5,))
    split.gather(index, images, labels)
    assert torch.equal(images, split.images[index])
    assert torch.equal(labels, split.labels[index])
    assert torch.equal(data.as_input(images)[2, 0], images[2, :, :, 0])
    assert data.as_input(images).shape == (5, 1, 32, 32)


@pytest.mark.parametrize(
    ("dataset", "folder", "sizes", "classes"),
    [
        ("mnist", "MNIST", (54000, 6000, 10000), 10),
        pytest.param(
            "cifar10", "cifar-10-batches-py", (45000, 5000, 10000), 10, marks=pytest.mark.slow
        ),
        pytest.param(
            "cifar100", "cifar-100-python", (45000, 5000, 10000), 100, marks=pytest.mark.slow
        ),
    ],
)
def test_the_real_data_sets(dataset, folder, sizes, classes):
    if not (data.RAW / folder).exists():
        pytest.skip(f"{dataset} is not in {data.RAW}")
    found = data.load(dataset)
    data.resident.cache_clear()  # it is large
    assert found.checksum == data.CHECKSUMS[dataset]
    assert (len(found.train), len(found.val), len(found.test)) == sizes
    assert len(found.classes) == found.train.labels.max() + 1 == classes
    assert torch.equal(found.test.labels.bincount(), torch.full((classes,), 10000 // classes)) or (
        dataset == "mnist" and found.test.labels.bincount().tolist()[:3] == [980, 1135, 1032]
    )


def test_one_copy_however_it_is_asked_for():
    found = data.load("digits")
    others = [
        data.load("digits", 32),
        data.load(dataset="digits"),
        data.load("digits", image_size=32, device="cpu"),
        data.load("digits", 64),
        data.load("digits", device=torch.device("cpu")),
    ]
    assert all(other is found for other in others)
    assert data.load("digits", 28) is not found


def test_an_unknown_data_set_is_told_the_known_ones():
    with pytest.raises(BookError, match="unknown dataset 'mnits': choose one of mnist, svhn"):
        data.load("mnits")
