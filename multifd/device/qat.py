"""Intel QuickAssist (QAT): every physical function (PF) of a host, and what is between it and a compressed page.

There are two user-space stacks, and libqatzip runs on either, with a libqat of its own:

* *vfio* (:mod:`multifd.device.qat_vfio`): the kernel's own driver on the PF, its virtual functions (VFs) bound to
  vfio-pci, and qatlib, from 4xxx on;
* *adf* (:mod:`multifd.device.qat_package`): Intel's driver package, for any generation.

What each is set to do is in :mod:`multifd.device.qat_services`; which processes get what, in
:mod:`multifd.device.qat_manager`; releases that break, in :mod:`multifd.device.qat_errata`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from multifd.device import pci, qat_services
from multifd.device.found import BOTH, Device, Direction, Problem
from multifd.device.pci import Function
from multifd.device.qat_generation import PHYSICAL, VIRTUAL, Generation
from multifd.device.qat_package import Package, runs
from multifd.device.qat_vfio import Group, Vfio, node, virtual_functions
from multifd.device.sysfs import Host

NOWHERE: Final[frozenset[Direction]] = frozenset()
"""The roles of a device that serves no migration."""


def detect(host: Host) -> tuple[Device, ...]:
    """Every PF with its VFs; in a guest, where there is no PF, every VF; in a container those that it was given."""
    groups = list(_groups(host))
    kernel = Vfio(host, [each for each in groups if not _by_package(host, each)])
    given = [each for each in groups if kernel.ours(each)]
    if kernel.contained and given:
        groups = given
    packages = _packages(host, groups)
    devices = [
        _under_package(host, group, packages[group.function])
        if group.function in packages
        else _under_kernel(host, group, kernel, number)
        for number, group in enumerate(groups)
    ]
    return tuple(_shared(devices, list(packages.values())))


def _groups(host: Host) -> Iterator[Group]:
    functions = list(pci.functions(host, pci.INTEL))
    for function in functions:
        if function.device in PHYSICAL:
            yield Group(function, virtual_functions(host, function))
    for function in functions:
        if function.device in VIRTUAL and not host.exists(f"{function.path}/physfn"):
            yield Group(function, (function,))


def _generation(function: Function) -> Generation:
    return PHYSICAL.get(function.device) or VIRTUAL[function.device]


def _by_package(host: Host, group: Group) -> bool:
    return runs(host, _generation(group.function), group.virtual)


def _packages(host: Host, groups: Sequence[Group]) -> dict[Function, Package]:
    """The functions of the driver package; the files of its configuration are numbered by driver."""
    found: dict[Function, Package] = {}
    seen: dict[str, int] = {}
    for group in (each for each in groups if _by_package(host, each)):
        generation = _generation(group.function)
        own = generation.driver if group.function.device in PHYSICAL else f"{generation.driver}vf"
        virtual = [one for one in group.virtual if one.driver == f"{generation.driver}vf"]
        users = [(own, group.function)] if own.endswith("vf") or not group.virtual else []
        users = users or [(f"{generation.driver}vf", one) for one in virtual]
        named = []
        for driver, one in users:
            number = seen[driver] = seen.get(driver, -1) + 1
            named.append((f"/etc/{driver}_dev{number}.conf", one))
        found[group.function] = Package(host, group.function, generation, named)
    return found


def _under_kernel(host: Host, group: Group, kernel: Vfio, number: int) -> Device:
    function, generation = group.function, _generation(group.function)
    physical = function.device in PHYSICAL
    named = qat_services.services(host, function)
    facts = {"driver": function.driver or "none", "stack": "vfio"}
    if named is not None:
        facts["services"] = named
    if physical:
        facts["virtual functions"] = str(len(group.virtual))
    served, problems, notes = _judged(host, group, kernel, number)
    processes = kernel.processes if served and not problems else None
    return Device(
        kind="qat",
        name=generation.name if physical else f"{generation.name}vf",
        pci=function.address,
        generation=generation.name,
        facts={**facts, **_placed(host, function), **_counted(processes)},
        nodes=tuple(node(one) for one in kernel.open(group)),
        problems=problems,
        notes=notes,
        directions=served,
        processes=processes,
    )


def _judged(
    host: Host, group: Group, kernel: Vfio, number: int
) -> tuple[frozenset[Direction], tuple[Problem, ...], tuple[Problem, ...]]:
    """The roles that it serves, problems, notes."""
    function, generation = group.function, _generation(group.function)
    if function.device in VIRTUAL:
        problems = tuple(kernel.problems(group))
        return BOTH, problems, () if problems else tuple(kernel.notes(group))
    if function.driver != generation.driver:
        return BOTH, (_unbound(function, generation.driver, generation.module),), ()
    if kernel.elsewhere(group):
        return NOWHERE, (), tuple(kernel.notes(group))
    beside = kernel.beside(group)
    others = any(qat_services.directions(each) for each in beside)
    notes = tuple(qat_services.notes(host, function, None if kernel.contained else number, beside=beside))
    if others and not kernel.serves(group):
        return NOWHERE, (), notes
    problems = tuple(qat_services.problems(host, function, others=others))
    if not (problems and qat_services.down(host, function) and not group.virtual):
        problems += tuple(kernel.problems(group))
    return kernel.directions(group), problems, notes + (() if problems else tuple(kernel.notes(group)))


def _under_package(host: Host, group: Group, package: Package) -> Device:
    function, generation = group.function, _generation(group.function)
    physical = function.device in PHYSICAL
    driver = generation.driver if physical else f"{generation.driver}vf"
    module = generation.module if physical else f"{generation.module}vf"
    bound = function.driver == driver
    problems = tuple(package.problems()) if bound else (_unbound(function, driver, module),)
    return Device(
        kind="qat",
        name=generation.name if physical else f"{generation.name}vf",
        pci=function.address,
        generation=generation.name,
        facts={"driver": function.driver or "none", "stack": "adf", **_placed(host, function)},
        nodes=tuple(each for each in package.nodes if host.permits(each)),
        problems=problems,
        notes=tuple(package.notes()) if bound else (),
    )


def _shared(devices: Sequence[Device], packages: Sequence[Package]) -> Iterator[Device]:
    """With the number of processes that the driver package serves, over all its devices."""
    served = [count for package in packages if (count := package.processes) is not None]
    count = None
    if served:
        count = min(served) if all(package.shared for package in packages) else sum(served)
    for device in devices:
        if device.facts["stack"] == "adf" and not device.problems and count is not None:
            yield replace(device, processes=count, facts={**device.facts, **_counted(count)})
        else:
            yield device


def _placed(host: Host, function: Function) -> dict[str, str]:
    """Its NUMA node: memory and threads of another one are slower (QATE-98551, README.md, qatlib 26.08)."""
    numa = host.number(f"{function.path}/numa_node")
    return {"NUMA node": str(numa)} if numa is not None and numa >= 0 else {}


def _counted(processes: int | None) -> dict[str, str]:
    return {} if processes is None else {"processes": f"{processes} at a time"}


def _unbound(function: Function, driver: str, module: str) -> Problem:
    if function.driver is None:
        return Problem("no driver is bound to it", f"modprobe {module}")
    return Problem(
        f"driver {function.driver} is bound to it instead of {driver}",
        f"# whoever uses it through {function.driver} (a guest, DPDK) loses it:\n"
        f"modprobe {module}\n{function.hand_over(driver)}",
    )
