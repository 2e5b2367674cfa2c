"""The code behind the BatchNorm book."""

__version__ = "0.1.0"
