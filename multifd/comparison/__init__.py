"""Two runs compared: pure functions of their results, for the command, the report and whoever else asks.

``compared`` is the whole of it, ``cells`` one cell in two runs, ``standing`` what is worse than what, ``findings`` and
``cast`` what runs say of software and of devices, ``costs`` what is beyond noise, ``renamed`` two names for one peer,
``folded`` many changes that are one. ``narrowed`` is for shards, of which ``merged`` makes one run; ``abreast`` puts
runs of several hosts beside each other.
"""
