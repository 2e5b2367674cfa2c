"""The data sets: read once, standardised, resident on the device."""

from bnlib.data.vision import Data, Split, absent, as_input, load

__all__ = ["Data", "Split", "absent", "as_input", "load"]
