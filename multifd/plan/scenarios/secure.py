"""Migrations with TLS on every channel: those that come about, and those whose handshake is refused or interrupted."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from multifd.plan.scenarios.scenario import Scenario
from multifd.qemu.tls import SOURCE, Credential, Interruption, Tls

_ELSEWHERE: Final = "elsewhere.example"
REFUSED: Final = {
    "tls-expired": ("the destination's certificate has expired", Tls(destination=Credential.EXPIRED, sanity=False)),
    "tls-expired-checked": (
        "the same, and it looks at its certificate before it uses it",
        Tls(destination=Credential.EXPIRED),
    ),
    "tls-foreign": (
        "the destination's certificate is of another authority",
        Tls(destination=Credential.FOREIGN, sanity=False),
    ),
    "tls-hostname": ("the destination's certificate has another name", Tls(hostname=_ELSEWHERE)),
    "tls-anonymous": ("the source has no certificate, and the destination asks for one", Tls(Credential.ANONYMOUS)),
    "tls-denied": ("the source has a certificate of a name that is not let in", Tls(admits=_ELSEWHERE)),
    "tls-other-key": ("the ends hold different keys", Tls(Credential.OTHER_KEY, Credential.PSK)),
    "tls-source-only": ("the source speaks TLS, the destination does not", Tls(destination=None)),
    "tls-destination-only": ("the destination speaks TLS, the source does not", Tls(source=None)),
}
"""Scenarios by name: what is wrong, and what both ends hold."""
INTERRUPTED: Final = {
    f"tls-{interruption.name.lower().replace('_', '-')}": interruption for interruption in Interruption
}
"""Scenarios by name."""


def _secure() -> Iterator[Scenario]:
    guest = partial(Scenario, mode="qemu", shape="guest", becomes_zero=True)
    yield guest("tls-x509", "TLS on every channel; both ends have certificates, and names", tls=Tls(admits=SOURCE))
    yield guest("tls-psk", "TLS on every channel; both ends share a key", tls=Tls(Credential.PSK, Credential.PSK))
    yield guest("tls-tcp", "TLS over TCP; the certificate has the address", tls=Tls(hostname=None), tcp=True)
    yield Scenario(
        "tls-splice", "a codec of ours between two processes of one QEMU, TLS before it and behind it",
        "splice", "guest", becomes_zero=True, tls=Tls(),
    )  # fmt: skip
    for name, (wrong, tls) in REFUSED.items():
        yield guest(name, f"TLS: {wrong}", tls=tls)
    for name, interruption in INTERRUPTED.items():
        yield Scenario(
            name, f"TLS: {interruption} at the handshake", "handshake", "guest",
            becomes_zero=True, tls=Tls(), interruption=interruption,
        )  # fmt: skip


SECURE: Final = tuple(_secure())
