"""The data sets: read once, standardised, resident on the device."""

from bnlib.data.vision import SHAPES, Data, Split, as_input, load

__all__ = ["SHAPES", "Data", "Split", "as_input", "load"]
