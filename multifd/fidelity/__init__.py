"""Fidelity: emulated silicon and the vendor's library on the same streams.

An emulator is only worth its likeness. So each of many streams is given to both: they must agree on whether it can be
decoded and on every byte, or differ in a way that has a name and a source (:mod:`multifd.fidelity.compare`). The
streams are made by grammar (:mod:`.grammar`), which reaches what encoders never emit, and by every encoder over every
corpus (:mod:`.streams`). The library runs in a process of its own (:mod:`.worker`, :mod:`.library`).
"""
