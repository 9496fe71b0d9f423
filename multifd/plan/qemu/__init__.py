"""Cells with a real QEMU on one or both ends.

=====================  ==================================================================================
pairing                which cells
=====================  ==================================================================================
QEMU to QEMU           every ordered pair, every method x method, both zero-page modes, equal and unequal
                       numbers of channels; what a busy destination does to a mismatch
QEMU to ours           every method, every decoder of ours that can read it; more ways to migrate
ours to QEMU           every encoder of ours in every framing under the flag of a method (splice)
QEMU to ours, on       every method, every decoder of ours that can read it (splice)
QEMU to itself         a recording, with a fault in it
QEMU to QEMU, and on   what is cancelled, repeated, or ended by one end
=====================  ==================================================================================
"""
