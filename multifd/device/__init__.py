"""Accelerators of this host: what is there, whether it can be used, and what can prove that it was.

Everything is read through one :class:`~multifd.device.sysfs.Host`, which is this one or a recorded one. Each kind of
:data:`multifd.accelerator.ACCELERATORS` has the module of its name here, with a function ``detect``, and may have
one that is called ``<kind>_counters``, with a function ``counters``::

    recorded_host ── Host ── pci ──┬── qat ─────┐
    trace ─────────┘               ├── iaa ─────┼── diagnose     Device(..., problems, notes)
                                   └── kunpeng ─┘                Proof(counter, missing, library)
"""
