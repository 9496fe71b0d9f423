"""What of IAA's configuration outlives a boot: nothing that was not saved.

Queues are configured in registers, and their nodes belong to root whenever they are made
(idxd-config's accel-config-save-config.txt, accel-config 4.1.6; drivers/dma/idxd/cdev.c, Linux 6.18).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Final

from multifd.accelerator import IAA
from multifd.device.facts import Owner
from multifd.device.found import Problem
from multifd.device.sysfs import Host

SAVED: Final = "/etc/accel-config/accel-config.conf"
"""Where accel-config has its configuration (configure.ac, accel-config 4.1.6)."""
RULES: Final = ("/etc/udev/rules.d/*.rules", "/usr/lib/udev/rules.d/*.rules", "/lib/udev/rules.d/*.rules")
_MADE: Final = Owner(0o600)
"""Of a node as the kernel makes it (drivers/base/devtmpfs.c, Linux 6.18)."""
_RULE: Final = "/etc/udev/rules.d/60-iaa-{queue}.rules"
_WANTED: Final = ("/etc/systemd/system/*.wants/*.service", "/usr/lib/systemd/system/*.wants/*.service")
"""Units that a boot starts (systemctl(1), ``enable``)."""
_LOADERS: Final = ("accel-config", "idxd", IAA.kind)
"""Words of a unit that configures queues, itself or by a script of its owner."""
_UNIT: Final = "iaa-queues.service"
_LOAD: Final = (
    "[Service]", "Type=oneshot", f"ExecStart=/usr/bin/accel-config load-config -e -c {SAVED}",
    "[Install]", "WantedBy=multi-user.target",
)  # fmt: skip


def unsaved(host: Host, devices: Sequence[str]) -> tuple[Problem, ...]:
    """Which of the configured devices the next boot leaves without their queues, and why."""
    saved = host.text(SAVED)
    missing = [] if saved is None else [one for one in devices if not re.search(rf'"dev"\s*:\s*"{one}"', saved)]
    if not host.exists(SAVED):
        lost, why = devices, f"{SAVED} does not exist"
    elif missing:
        lost, why = missing, f"{SAVED} does not hold it"
    elif not _loaded(host):
        lost, why = devices, f"no unit of systemd loads {SAVED}"
    else:
        return ()
    if not lost:
        return ()
    lines = " ".join(f"'{line}'" for line in _LOAD)
    load = f"\nprintf '%s\\n' {lines} > /etc/systemd/system/{_UNIT}\nsystemctl enable {_UNIT}"
    return (
        Problem(
            f"the configuration of {' and '.join(lost)} is gone after the next boot: {why}",
            "# once all devices are configured as they are to stay:\n"
            f"mkdir -p {SAVED.rpartition('/')[0]}\naccel-config save-config -s {SAVED}"
            f"{'' if _loaded(host) else load}",
        ),
    )


def unruled(host: Host, nodes: Sequence[str]) -> Iterator[Problem]:
    """Whose owner the next boot takes away, of the nodes of queues."""
    commands = []
    for node in nodes:
        queue, owner = node.rpartition("/")[2], host.owner(node)
        if owner is not None and owner != _MADE and not _ruled(host, queue):
            given = f'OWNER="{owner.uid}", GROUP="{owner.gid}", MODE="{owner.mode:04o}"'
            rule = f'SUBSYSTEM=="dsa", KERNEL=="iax[/!]{queue}", {given}'
            commands.append(f"echo '{rule}' > {_RULE.format(queue=queue)}")
    if commands:
        yield Problem(
            "who may open its queues is forgotten at the next boot: no rule of udev names them", "\n".join(commands)
        )


def _loaded(host: Host) -> bool:
    units = (host.text(path) or "" for pattern in _WANTED for path in host.find(pattern))
    return any(word in unit for unit in units for word in _LOADERS)


def _ruled(host: Host, queue: str) -> bool:
    """Whether a line that is no comment names the queue; one that names IAA in another way than by KERNEL may."""
    texts = (host.text(path) or "" for pattern in RULES for path in host.find(pattern))
    lines = (line for text in texts for line in text.splitlines() if not line.lstrip().startswith("#"))
    return any(_matches(line, queue) for line in lines if "iax" in line)


def _matches(rule: str, queue: str) -> bool:
    kernel = re.search(r'KERNEL=="([^"]*)"', rule)
    if kernel is None:
        return True
    return any(fnmatchcase(f"iax{mark}{queue}", pattern) for pattern in kernel[1].split("|") for mark in "/!")
