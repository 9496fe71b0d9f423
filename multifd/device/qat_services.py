"""What a physical function (PF) of QAT is set to do, whether that serves a migration, and how it is set otherwise.

A PF has services, which all its virtual functions (VFs) share: ``qat/cfg_services`` in sysfs, from Linux 6.0 on
(Documentation/ABI/testing/sysfs-driver-qat, Linux 6.18). Before, a 4xxx kept those that the kernel gave it: with
crypto alone up to 5.16, from 5.17 on compression for every second PF ("DC Instances are not present", INSTALL, qatlib
26.08). That is the default still: crypto for PFs of even number, ``dc`` for odd ones (``adf_gen4_cfg_dev_init``,
drivers/crypto/intel/qat/qat_common/adf_gen4_config.c, Linux 6.18).

What sysfs is told lasts until the next boot. qatlib's service tells it anew at each start: every PF gets the
``ServicesEnabled`` of the service's environment file. ``check_config`` (qat_init.sh.in, qatlib 26.08) reads it with awk
from any line that contains ``ServicesEnabled=``, comments too, and sets nothing where that gives two values.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Final

from multifd.device.found import BOTH, Direction, Problem
from multifd.device.pci import Function
from multifd.device.sysfs import Host

SENDING: Final = frozenset({"dc", "dcc"})
"""Services that compress, and decompress: ``dcc`` is ``dc`` that also chains (sysfs-driver-qat, Linux 6.18)."""
RECEIVING: Final = "decomp"
"""The service of 6xxx that decompresses alone."""
CONFIGURABLE: Final = (6, 0)
"""Linux with ``qat/cfg_services`` and ``qat/state``."""
COMPRESSING: Final = (5, 17)
"""Linux in which a 4xxx compresses."""
ENVIRONMENT: Final = "/etc/sysconfig/qat"
"""qatlib's environment file unless its unit names another (qat.service.in, qatlib 26.08, ``EnvironmentFile``)."""
RESTART: Final = (
    "# first end what uses QAT: a qatmgr that starts leaves out virtual functions that somebody has open\n"
    "systemctl restart qat"
)
"""``qat_mgr_get_vfio_dev_list`` (vfio_mgr_lib.c, qatlib 26.08) tries to open each."""
_KEY: Final = "ServicesEnabled="
_UNIT: Final = "EnvironmentFile=-"


def services(host: Host, function: Function) -> str | None:
    """As sysfs has them, ``sym;dc``; None where the driver does not say."""
    return host.text(f"{function.path}/qat/cfg_services")


def directions(named: str) -> frozenset[Direction]:
    """The roles that services serve."""
    each = frozenset(named.split(";"))
    if each & SENDING:
        return BOTH
    return frozenset({"receiver"}) if RECEIVING in each else frozenset()


def down(host: Host, function: Function) -> bool:
    """Whether it is switched off; it has no virtual functions then."""
    return host.text(f"{function.path}/qat/state") == "down"


def environment_file(host: Host) -> str:
    """The file that gives qatlib's service its settings."""
    units = (f"{folder}/systemd/system/qat.service" for folder in ("/etc", "/usr/local/lib", "/usr/lib", "/lib"))
    lines = (line for unit in units for line in (host.text(unit) or "").splitlines())
    named = (line.removeprefix(_UNIT).strip() for line in lines if line.startswith(_UNIT))
    return next(named, ENVIRONMENT)


def problems(host: Host, function: Function, *, others: bool) -> Iterator[Problem]:
    """Why it does not serve; where ``others`` of the host do, crypto is no problem."""
    named = services(host, function)
    if named is None:
        yield _unsaid(host, function)
    elif not directions(named) and not others:
        yield Problem(f"its service is {named}, which does not compress", _turn(host, function, "dc"))
    elif down(host, function):
        yield Problem("it is down", f"echo up > {function.path}/qat/state\n{RESTART}")


def notes(host: Host, function: Function, number: int | None, *, beside: Sequence[str]) -> Iterator[Problem]:
    """What it does not do although others do, and what the next boot takes away.

    ``number`` counts the PFs from 0; None in a container, which does not see what its host keeps. ``beside`` are the
    services of the others.
    """
    named = services(host, function)
    if named is None:
        return
    served = directions(named)
    if not served and any(directions(each) for each in beside):
        yield Problem(
            f"its service is {named}, which does not compress; other QAT devices of this host do",
            f"# leave it so: whoever uses {named} would lose it",
        )
    elif "sender" not in served and served:
        yield Problem(
            f"its services are {named}, which decompress and do not compress: it receives and does not send"
            " (libqatzip 2.0.0 asks for instances that compress, and so does not use it at all)",
            _turn(host, function, named.replace(RECEIVING, "dc")),
        )
    elif served and number is not None:
        yield from _kept(host, function, number, beside)


def _unsaid(host: Host, function: Function) -> Problem:
    """No qat/cfg_services in sysfs."""
    if host.kernel_at_least(*CONFIGURABLE) is False:
        compresses = "" if host.kernel_at_least(*COMPRESSING) else ", and a 4xxx does not compress before Linux 5.17"
        return Problem(
            f"Linux {host.release} neither says nor changes what it does: cfg_services needs kernel 6.0{compresses}",
            "# install a kernel of 6.0 or later, then reboot",
        )
    return Problem(
        f"its driver does not say which services it has (no {function.path}/qat/cfg_services)",
        f"modinfo -F filename qat_{function.driver}\n"
        "# it must be the kernel's own driver, of Linux 6.0 or later or of a distribution that carries it",
    )


def _turn(host: Host, function: Function, wanted: str) -> str:
    """The commands that give it other services, now and at every start of qatlib's service."""
    qat, named = f"{function.path}/qat", services(host, function) or ""
    used = [each for each in named.split(";") if each != RECEIVING]
    lost = ";".join(each for each in used if each not in wanted.split(";"))
    kept = f"; where the kernel takes it, {lost.partition(';')[0]};dc instead of dc keeps {lost.partition(';')[0]}"
    return "\n".join(
        (
            *(
                [f"# this takes {lost} from whoever uses it here (IPsec, TLS, disks){kept}"]
                if lost
                else [f"# this interrupts whoever uses {';'.join(used)} here (IPsec, TLS, disks)"] * bool(used)
            ),
            "systemctl stop qat",
            *([] if down(host, function) else [f"echo down > {qat}/state"]),
            f"echo {shlex.quote(wanted)} > {qat}/cfg_services",
            f"echo up > {qat}/state",
            *_keep(host, wanted),
            "systemctl start qat",
        )
    )


def _keep(host: Host, wanted: str) -> tuple[str, ...]:
    """The commands after which qatlib's service sets these services, however often they are given."""
    file = environment_file(host)
    return (
        "# from its next start on, qat.service gives them to every QAT device of this host:",
        f"mkdir -p {file.rpartition('/')[0]} && touch {file}",
        f"sed -i '/{_KEY}/d' {file}",
        f"echo {shlex.quote(_KEY + wanted)} >> {file}",
    )


def _by_hand(host: Host, function: Function, lost: str) -> str:
    """What gives it its services after a boot and leaves others theirs; nothing is to be done now."""
    qat, named = f"{function.path}/qat", services(host, function) or ""
    return "\n".join(
        f"# {line}"
        for line in (
            f"qat.service gives one {_KEY} to every QAT device of this host: that takes {lost} from whoever uses it",
            f"on others (IPsec, TLS, disks). To leave it to them, keep {_KEY} out of {environment_file(host)},",
            "and after each boot:",
            "systemctl stop qat",
            f"echo down > {qat}/state",
            f"echo {shlex.quote(named)} > {qat}/cfg_services",
            f"echo up > {qat}/state",
            "systemctl start qat",
        )
    )


def _kept(host: Host, function: Function, number: int, beside: Sequence[str]) -> Iterator[Problem]:
    """Whether it will do the same after the next boot."""
    named = services(host, function) or ""
    file = environment_file(host)
    content = host.text(file)
    if content is None and host.exists(file):
        return  # closed to this user: nothing is known
    values = [value for line in (content or "").splitlines() if (value := line.partition(_KEY)[2].strip())]
    lost = next((each for each in beside if not directions(each)), None)
    keep = "\n".join(_keep(host, named)) if lost is None else _by_hand(host, function, lost)
    match values:
        case []:
            if number % 2 == 0:
                yield Problem(f"{named} was set by hand: after the next boot it does sym;asym again", keep)
        case [value]:
            if not directions(named) <= directions(value):
                yield Problem(f"{file} says {_KEY}{value}: at the next start of qat.service it does that", keep)
        case _:
            yield Problem(
                f"{file} says {_KEY} {len(values)} times, so that qat.service sets nothing at its next start", keep
            )
