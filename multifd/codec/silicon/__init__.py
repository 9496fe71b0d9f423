"""Emulated silicon: what a device does with one request, without the library around it.

The codecs ``*_emulated`` put around a model what the vendor's library and QEMU do with the device. A model's every
behaviour cites its source; where a source leaves room, the model refuses what the silicon might refuse.
"""
