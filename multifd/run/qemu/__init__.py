"""Cells with real QEMU processes."""
