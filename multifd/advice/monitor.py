"""A QEMU that runs, asked over QMP what it is and what it is set to; nothing is changed.

=========================  =====================================================
what                       QMP
=========================  =====================================================
version, methods, …        as :mod:`multifd.qemu.facts`
machine type               ``qom-get /machine type``
capabilities, parameters   ``query-migrate-capabilities``, ``query-migrate-parameters``
whether it waits for one   ``query-status``: ``inmigrate``
=========================  =====================================================
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr
from qemu.qmp import ExecuteError, QMPClient, QMPError

from multifd.advice.hosts import Host
from multifd.advice.terms import Terms
from multifd.errors import EnvironmentBroke, InputError
from multifd.qemu.facts import Facts, read

ANSWER: Final = 5.0
"""Seconds that a QEMU takes at most to let somebody in, and to each answer."""
_TYPE: Final = "-machine"
"""Ending of the names of machine types as QOM has them."""
_MULTIFD: Final = "multifd"


class _Parameters(BaseModel):
    """Those of a migration that concern multifd."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    method: StrictStr = Field(alias="multifd-compression")
    channels: StrictInt = Field(alias="multifd-channels", ge=1, le=255)
    zero_pages: Literal["none", "legacy", "multifd"] = Field(default="legacy", alias="zero-page-detection")
    tls: StrictStr | None = Field(default=None, alias="tls-creds")


@dataclass(frozen=True, slots=True)
class Running:
    """What it says."""

    socket: str
    facts: Facts
    machine: str
    """Its machine type, ``pc-i440fx-7.2``."""
    on: frozenset[str]
    """Capabilities that are."""
    parameters: Mapping[str, Any]
    waits: bool
    """It waits for a migration to come (``-incoming``)."""

    @property
    def name(self) -> str:
        """As a person says it."""
        return f"QEMU {self.facts.release} at {self.socket}"

    @property
    def host(self) -> Host:
        """The same, whatever it is set to."""
        return Host(self.name, self.facts.release, self.facts, said=True)

    @property
    def multifd(self) -> bool:
        """Whether multifd is on."""
        return _MULTIFD in self.on

    @property
    def terms(self) -> Terms:
        """What the oracle is asked about."""
        told = _Parameters.model_validate(self.parameters)
        return Terms(
            self.name, self.facts, told.method, told.channels, told.zero_pages, self.on, tls=bool(told.tls)
        )  # fmt: skip


def ask_both(sender: str, receiver: str) -> tuple[Running, Running]:
    """Two QEMUs at once; raises as :func:`ask_one`."""

    async def both() -> tuple[Running, Running]:
        return await asyncio.gather(_ask(sender), _ask(receiver))

    return asyncio.run(both())


def ask_one(socket: str) -> Running:
    """The QEMU whose QMP socket is at this path.

    Raises :class:`EnvironmentBroke` where nobody answers in time, :class:`InputError` for one that cannot take part.
    """
    return asyncio.run(_ask(socket))


async def _ask(socket: str) -> Running:
    monitor = QMPClient("advise")
    monitor.logger.disabled = True
    try:
        await asyncio.wait_for(monitor.connect(socket), ANSWER)
        return await _said(monitor, socket)
    except ExecuteError as refusal:
        raise InputError(f"{socket}: QMP says {refusal}; expected QEMU 5.0 or later with a machine") from None
    except (KeyError, TypeError, AttributeError, ValueError, RuntimeError) as answer:
        raise InputError(
            f"{socket}: answers as no QEMU does ({type(answer).__name__}); expected 5.0 or later"
        ) from None
    except TimeoutError:
        raise EnvironmentBroke(
            f"{socket}: did not answer within {ANSWER:g} s; a monitor serves one client at a time: give this QEMU"
            " a further one (-qmp unix:PATH,server=on,wait=off)"
        ) from None
    except (QMPError, OSError, EOFError) as problem:
        raise EnvironmentBroke(f"{socket}: is no QMP socket of a running QEMU: {problem}") from None
    finally:
        with suppress(QMPError, OSError, EOFError, asyncio.CancelledError):
            await monitor.disconnect()


async def _said(monitor: QMPClient, socket: str) -> Running:
    async def ask(command: str, **arguments: str) -> Any:
        return await asyncio.wait_for(monitor.execute(command, dict(arguments)), ANSWER)

    facts = read(
        await ask("query-version"), await ask("query-qmp-schema"), await ask("query-machines"),
        (await ask("query-target"))["arch"],
    )  # fmt: skip
    machine: str = await ask("qom-get", path="/machine", property="type")
    capabilities = await ask("query-migrate-capabilities")
    running = Running(
        socket, facts, machine.removesuffix(_TYPE),
        frozenset(each["capability"] for each in capabilities if each["state"]),
        await ask("query-migrate-parameters"), (await ask("query-status"))["status"] == "inmigrate",
    )  # fmt: skip
    _Parameters.model_validate(running.parameters)
    return running
