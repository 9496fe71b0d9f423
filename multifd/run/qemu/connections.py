"""Runs a cell over connections that misbehave: as any other with a real QEMU, with a relay before its receiver."""

from __future__ import annotations

from multifd.framing.model import framing
from multifd.migrate.crew import Crew
from multifd.migrate.relay import Relay
from multifd.run.qemu.bench import QemuBench
from multifd.run.qemu.setting import Setting


class ConnectionsBench(QemuBench):
    """Runs cells whose scenario has a link."""

    def _way(self, ends: Setting, address: str) -> tuple[str, tuple[Crew, ...]]:
        pairing, link = ends.pairing, ends.pairing.plan.link
        assert link is not None, f"{pairing.place} has no link"
        relay = Relay(
            f"unix:{ends.directory / 'relay'}", address, link, pairing.channels, self._means.deadline,
            page_size=pairing.page_size, raw=framing(pairing.sender_framing).raw_pages,
        )  # fmt: skip
        ends.standing.enter_context(relay)
        return relay.address, (relay.carrier,)
