"""Reading the data sets' files: the right pictures, or one line that says what is wrong."""

import hashlib
import struct
import urllib.error

import numpy as np
import pytest
from scipy.io import savemat
from torchvision import datasets

from bnlib.data import vision as data
from bnlib.errors import BookError


@pytest.fixture
def raw(tmp_path, monkeypatch):
    """An empty folder for data sets, and no network."""

    def offline(*args, **options):
        raise urllib.error.URLError("no network here")

    monkeypatch.setattr("urllib.request.urlopen", offline)
    monkeypatch.setattr(data, "RAW", tmp_path)
    data.resident.cache_clear()
    yield tmp_path
    data.resident.cache_clear()


def svhn_file(path, count: int) -> tuple[str, np.ndarray, np.ndarray]:
    """A made-up .mat file of SVHN's format, its MD5, its images (N, H, W, C) and labels."""
    rng = np.random.default_rng(count)
    images = rng.integers(0, 256, (count, 32, 32, 3), np.uint8)
    labels = rng.integers(0, 10, count)
    stored = np.where(labels == 0, 10, labels)  # SVHN calls the digit 0 "10"
    savemat(path, {"X": images.transpose(1, 2, 3, 0), "y": stored[:, None].astype(np.uint8)})
    return hashlib.md5(path.read_bytes()).hexdigest(), images, labels


def test_svhn_is_read_from_its_files(raw, monkeypatch):
    train_md5, _, y = svhn_file(raw / "train_32x32.mat", 40)
    test_md5, test_x, test_y = svhn_file(raw / "test_32x32.mat", 20)
    known = {
        "train": ["http://nowhere", "train_32x32.mat", train_md5],
        "test": ["http://nowhere", "test_32x32.mat", test_md5],
    }
    monkeypatch.setattr(datasets.SVHN, "split_list", known)
    found = data.load("svhn")
    assert (len(found.train), len(found.val), len(found.test)) == (36, 4, 20)
    back = (found.test.images * found.std + found.mean) * 255
    assert np.array_equal(back.round().numpy(), test_x)
    assert np.array_equal(found.test.labels, test_y)
    split = np.concatenate([found.train.labels, found.val.labels])
    assert np.array_equal(np.bincount(split, minlength=10), np.bincount(y, minlength=10))

    (raw / "train_32x32.mat").write_bytes(b"damaged")
    data.resident.cache_clear()
    with pytest.raises(BookError, match=r"'svhn'.*no network here"):
        data.load("svhn")


def mnist_files(root, count: int = 20) -> None:
    """MNIST's four files with other pictures in them."""
    folder = root / "MNIST" / "raw"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(count)
    for part in ("train", "t10k"):
        pixels, labels = rng.bytes(count * 784), rng.bytes(count)
        head = struct.pack(">iiii", 2051, count, 28, 28)
        (folder / f"{part}-images-idx3-ubyte").write_bytes(head + pixels)
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">ii", 2049, count) + labels)


def one_line_error(dataset: str) -> str:
    with pytest.raises(BookError) as wrong:
        data.load(dataset)
    assert "\n" not in str(wrong.value)
    return str(wrong.value)


def test_other_pictures_are_noticed(raw):
    mnist_files(raw)
    said = one_line_error("mnist")
    assert "checksum" in said
    assert str(raw) in said


@pytest.mark.parametrize("keep", [0, 3, 10, 500])
def test_a_truncated_file_is_noticed(raw, keep):
    mnist_files(raw)
    path = raw / "MNIST" / "raw" / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:keep])
    assert "damaged" in one_line_error("mnist")


@pytest.mark.parametrize("dataset", ["mnist", "cifar10", "cifar100", "svhn"])
def test_missing_and_no_network(raw, dataset):
    said = one_line_error(dataset)
    for word in (repr(dataset), str(raw), "'digits'", "'shapes'"):
        assert word in said
