"""Work queues of an IAA device: what libqpl takes, how its settings bear on it, and the commands that configure one.

libqpl submits to queues that are enabled and *shared*, on a device that is enabled, and passes over all others
(``hw_queue::initialize_new_queue`` and ``hw_device::initialize_new_device``,
sources/middle-layer/dispatcher/hw_queue.cpp and hw_device.cpp, qpl 1.6.0). A queue has a node for processes only if
its type is *user* (drivers/dma/idxd/cdev.c, Linux 6.18). Attributes: Documentation/ABI/stable/sysfs-driver-dma-idxd
(Linux 6.18). Commands: docs/devel/migration/qpl-compression.rst (QEMU 10.2) and
idxd-config's accel-config-config-wq.txt (accel-config 4.1.6).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from multifd.device.found import Direction, Problem
from multifd.device.sysfs import Host

ENTRIES: Final = 128
"""Entries of all work queues of one device where it does not say; one queue may have them all."""
ENGINES: Final = 8
"""Engines of a device that does not say."""
PACKET: Final = 128
"""Pages of one multifd packet, which QEMU submits at once (migration/multifd-qpl.c, QEMU 10.2)."""
OPERATIONS: Final[Mapping[int, Direction]] = MappingProxyType({0x42: "receiver", 0x43: "sender"})
"""Opcodes of decompression and compression with the end that needs them
(sources/core-iaa/include/hw_iaa_flags.h, qpl 1.6.0)."""
ZSWAP: Final = "/sys/module/zswap/parameters"


@dataclass(frozen=True, slots=True)
class WorkQueue:
    """One work queue, in the words of its attributes; what does not say is None."""

    device: str
    name: str
    state: str
    mode: str
    type: str
    driver: str
    size: int | None
    threshold: int | None
    block_on_fault: bool
    """What waits until a page is there; the kernel's default is not to (``prs_disable`` goes before it)."""
    directions: frozenset[Direction]
    """The ends whose operations it takes (``op_config``)."""

    @classmethod
    def read(cls, host: Host, path: str) -> WorkQueue:
        """From its directory in sysfs."""
        *_, device, name = path.split("/")
        state, mode, kind, driver = (
            host.text(f"{path}/{attribute}") or "unknown" for attribute in ("state", "mode", "type", "driver_name")
        )
        if host.text(f"{path}/name") == "iaa_crypto":
            # driver_name is an attribute from Linux 6.7 on; the name is what iaa_crypto gives.
            driver = "crypto"
        waits = host.text(f"{path}/block_on_fault") != "0" and host.text(f"{path}/prs_disable") != "1"
        return cls(
            device, name, state, mode, kind, driver,
            host.number(f"{path}/size"), host.number(f"{path}/threshold"), waits,
            _directions(host.text(f"{path}/op_config")),
        )  # fmt: skip

    @property
    def node(self) -> str:
        """Its character device."""
        return f"/dev/iax/{self.name}"

    @property
    def enabled(self) -> bool:
        """Whether it takes jobs."""
        return self.state == "enabled"

    @property
    def fits(self) -> bool:
        """Whether libqpl would submit to it."""
        return self.enabled and self.mode == "shared" and self.type == "user" and bool(self.directions)

    def __str__(self) -> str:
        return f"{self.device}/{self.name}"


def unfit(host: Host, queue: WorkQueue) -> str:
    """Why libqpl does not take an enabled queue."""
    if queue.type == "kernel" and queue.driver == "crypto":
        use = ", which zswap compresses with" if _serves_zswap(host) else ""
        return f"work queue {queue.name} belongs to the kernel's iaa_crypto{use}"
    if queue.type != "user":
        return f"work queue {queue.name} has type {queue.type}, not user"
    if queue.mode != "shared":
        return f"work queue {queue.name} is {queue.mode}, libqpl takes only shared ones"
    return f"work queue {queue.name} takes neither compression nor decompression (op_config)"


def warnings(queue: WorkQueue) -> Iterator[Problem]:
    """What is not as it should be with a queue that libqpl takes."""
    if not queue.block_on_fault:
        # github.com/intel/qpl/issues/15 and 19
        yield Problem(
            f"work queue {queue.name} does not wait for a page that is not in memory (block_on_fault is 0):"
            " such jobs end with status 303 or 431 or come short",
            _change(queue, "-b 1"),
        )
    if queue.threshold is not None and queue.threshold < PACKET and (queue.size or 0) > queue.threshold:
        yield Problem(
            f"work queue {queue.name} takes {queue.threshold} jobs at a time of its {queue.size}:"
            f" with the {PACKET} pages of a packet it is busy, and QEMU goes on in software",
            _change(queue, f"-t {queue.size}"),
        )
    missing = sorted(frozenset(OPERATIONS.values()) - queue.directions)
    for direction in missing:
        work = {"sender": "compression", "receiver": "decompression"}[direction]
        yield Problem(
            f"work queue {queue.name} does not take {work} (op_config), so it serves no {direction}",
            _change(queue, f"-o {_ALL}"),
        )


def narrow(host: Host, path: str, queues: Sequence[WorkQueue], ours: Sequence[WorkQueue]) -> Iterator[Problem]:
    """Whether the entries of those of a device's queues that libqpl takes are too few, although it has more."""
    sizes = [queue.size for queue in ours if queue.size is not None]
    wanted = min(PACKET, host.number(f"{path}/max_work_queues_size") or ENTRIES)
    if len(sizes) == len(ours) and sum(sizes) < wanted:
        yield Problem(
            f"the work queues that libqpl takes have room for {sum(sizes)} of the {PACKET} pages of a packet:"
            " then they are busy, and QEMU goes on in software",
            configure(host, path, queues),
        )


def configure(host: Host, path: str, queues: Sequence[WorkQueue]) -> str:
    """The commands that give one shared user queue all of a device; they say first what they end."""
    device = path.rpartition("/")[2]
    number = device.removeprefix("iax")
    engines = [engine.rpartition("/")[2] for engine in host.find(f"{path}/engine*")]
    engines = engines or [f"engine{number}.{engine}" for engine in range(ENGINES)]
    entries = host.number(f"{path}/max_work_queues_size") or ENTRIES
    first = queues[0].name if queues else f"wq{number}.0"
    return "\n".join(
        (
            *_release(host, device, host.text(f"{path}/state"), queues),
            *(f"accel-config config-engine {device}/{engine} -g 0" for engine in engines),
            f"accel-config config-wq {device}/{first}"
            f" -g 0 -s {entries} -p 10 -b 1 -t {entries} -m shared -y user -n app1 -d user",
            f"accel-config enable-device {device}",
            f"accel-config enable-wq {device}/{first}",
            *(_KEEP_AWAY if any(_of_crypto(queue) for queue in queues) else ()),
        )
    )


_ALL: Final = "00000000,00000000,00000000,00000000,00000000,007f331c,00000000,0000000d"
"""All operations of IAA (``op_cap`` in github.com/intel/qpl/issues/28)."""
_KEEP_AWAY: Final = (
    "echo 'blacklist iaa_crypto' > /etc/modprobe.d/blacklist-iaa_crypto.conf",
    "# or iaa_crypto takes all queues again at the next boot",
)


def _release(host: Host, device: str, state: str | None, queues: Sequence[WorkQueue]) -> Iterator[str]:
    """What frees a device: settings can be changed only while it is disabled.

    iaa_crypto configures every queue when it is loaded, and cannot be removed while anything compresses with it
    (Documentation/driver-api/crypto/iaa/iaa-crypto.rst, Linux 6.18; by itself from Linux 6.8 on).
    """
    enabled = [queue for queue in queues if queue.enabled]
    crypto = any(_of_crypto(queue) for queue in enabled)
    if crypto and _serves_zswap(host):
        yield f"echo lzo > {ZSWAP}/compressor"
        yield "# zswap then goes on in software; what it holds keeps iaa_crypto: swapoff -a && swapon -a empties it"
    elif enabled and not crypto:
        yield f"# this ends what others do on {device}: fuser -v /dev/iax/*"
    for queue in enabled:
        yield f"accel-config disable-wq {queue}"
    if enabled or state == "enabled":
        yield f"accel-config disable-device {device}"
    if crypto:
        yield "modprobe -r iaa_crypto"
        yield "# it is refused, without harm, while iaa_crypto has queues of other devices"


def _change(queue: WorkQueue, option: str) -> str:
    """The commands that change one setting of a queue."""
    return (
        f"# this ends what others do on {queue}: fuser -v {queue.node}\n"
        f"accel-config disable-wq {queue}\n"
        f"accel-config config-wq {queue} {option}\n"
        f"accel-config enable-wq {queue}"
    )


def _of_crypto(queue: WorkQueue) -> bool:
    return queue.enabled and queue.type == "kernel" and queue.driver == "crypto"


def _serves_zswap(host: Host) -> bool:
    return host.text(f"{ZSWAP}/compressor") == "deflate-iaa" and host.text(f"{ZSWAP}/enabled") == "Y"


def _directions(operations: str | None) -> frozenset[Direction]:
    """The ends that a mask of operations serves; without one, or with one that cannot be read, a queue takes all."""
    try:
        mask = int((operations or "").replace(",", ""), 16)
    except ValueError:
        return frozenset(OPERATIONS.values())
    return frozenset(direction for opcode, direction in OPERATIONS.items() if mask >> opcode & 1)
