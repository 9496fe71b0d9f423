"""Accelerators of this host: what is there, and whether it can be used.

Everything is read through one :class:`~multifd.device.sysfs.Host`, whose root can be a recorded tree. Each kind of
:data:`multifd.accelerator.ACCELERATORS` has the module of its name here, with a function ``detect``::

    Host ── pci ──┬── qat ─────┐
                  ├── iaa ─────┼── diagnose     Device(..., problems)
                  └── kunpeng ─┘
"""
