"""Which QEMU multifd sender works with which receiver, why, and what goes wrong where it does not."""

__version__ = "0.1.0"
