"""Accelerators of this host: what is there, whether it can be used, and proof that it did the work.

Everything is read through one :class:`~multifd.device.sysfs.Host`, whose root can be a recorded tree::

    Host ── pci ──┬── qat ─────┐
                  ├── iaa ─────┼── diagnose     Device(..., problems)
                  └── kunpeng ─┘
    Host ── proof (pmu)                         counters before and after
"""
