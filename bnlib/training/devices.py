"""What a run trains on: the names of devices, which of them are there, which worker gets which."""

import re

from bnlib.errors import BookError


def known_device(name: str) -> str:
    """``name``, if it can be that of a device on some machine."""
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d{1,3})?", name):
        raise BookError(
            f"unknown device {name!r}: choose 'auto', 'cpu', 'cuda' (or one card of several, "
            f"'cuda:0', 'cuda:1', …) or 'mps'"
        )
    return name


def pick_device(wanted: str) -> str:
    """The device to train on, which is there; "auto" is the fastest there is."""
    kind, _, number = known_device(wanted).partition(":")
    if kind == "cpu":
        return "cpu"
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if kind == "auto":
        return next((name for name, found in there.items() if found), "cpu")
    if not there[kind]:
        raise BookError(
            f"device {wanted!r} is not there: this machine has no such accelerator that torch can "
            f"use; choose 'cpu' or 'auto'"
        )
    if number and int(number) >= torch.cuda.device_count():
        last = torch.cuda.device_count() - 1
        raise BookError(f"device {wanted!r} is not there: the last card here is 'cuda:{last}'")
    return wanted


def cards_for(workers: int, cards: int) -> list[str]:
    """A device for each worker, the cards in turn."""
    return [f"cuda:{worker % cards}" for worker in range(workers)]


def use(device: str) -> str:
    """Make ``cuda:N`` the card that this process means by ``cuda``; returns the device's kind.

    Streams, graphs and generators belong to the current card, so it is chosen once, here.
    """
    kind, _, number = device.partition(":")
    if number:
        import torch

        torch.cuda.set_device(int(number))
    return kind
