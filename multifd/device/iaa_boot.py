"""What of IAA's configuration outlives a boot: nothing that was not saved.

Queues are configured in registers, and their nodes belong to root whenever they are made
(idxd-config's accel-config-save-config.txt, accel-config 4.1.6; drivers/dma/idxd/cdev.c, Linux 6.18).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from multifd.device.facts import Owner
from multifd.device.found import Problem
from multifd.device.sysfs import Host

SAVED: Final = "/etc/accel-config/accel-config.conf"
"""Where accel-config has its configuration (configure.ac, accel-config 4.1.6)."""
RULES: Final = ("/etc/udev/rules.d/*.rules", "/usr/lib/udev/rules.d/*.rules", "/lib/udev/rules.d/*.rules")
_MADE: Final = Owner(0o600)
"""Of a node as the kernel makes it (drivers/base/devtmpfs.c, Linux 6.18)."""
_RULE: Final = "/etc/udev/rules.d/60-iaa.rules"
_UNIT: Final = "iaa-queues.service"
_LOAD: Final = (
    "[Service]", "Type=oneshot", f"ExecStart=/usr/bin/accel-config load-config -e -c {SAVED}",
    "[Install]", "WantedBy=multi-user.target",
)  # fmt: skip


def lost(host: Host, node: str) -> Iterator[Problem]:
    """What of the configuration and of the owner of a queue's node is gone after the next boot."""
    if not host.exists(SAVED):
        lines = " ".join(f"'{line}'" for line in _LOAD)
        yield Problem(
            f"its configuration is gone after the next boot: {SAVED} does not exist",
            f"mkdir -p {SAVED.rpartition('/')[0]}\naccel-config save-config -s {SAVED}\n"
            f"printf '%s\\n' {lines} > /etc/systemd/system/{_UNIT}\nsystemctl enable {_UNIT}",
        )
    owner = host.owner(node)
    if owner is not None and owner != _MADE and not _ruled(host):
        given = f'OWNER="{owner.uid}", GROUP="{owner.gid}", MODE="{owner.mode:04o}"'
        yield Problem(
            "who may open its queues is forgotten at the next boot: no rule of udev names them",
            f'echo \'SUBSYSTEM=="dsa", KERNEL=="iax[/!]wq*", {given}\' > {_RULE}',
        )


def _ruled(host: Host) -> bool:
    return any("iax" in (host.text(path) or "") for pattern in RULES for path in host.find(pattern))
