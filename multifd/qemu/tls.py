"""TLS of a migration: credentials of a run's own, made where it works, and what a QEMU is told of them.

QEMU reads x509 credentials from a directory with fixed names (``ca-cert.pem``, ``server-cert.pem``, …) and pre-shared
keys from ``keys.psk``, a line ``user:key`` in hexadecimal (docs/system/tls.rst, QEMU 10.0). The source is TLS's client,
the destination its server, on the main channel and on every other.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from trustme import CA, LeafCert

from multifd.result.record import Role

DESTINATION: Final = "destination.example"
SOURCE: Final = "source.example"
"""Names in the certificates."""
_ID: Final = "tls0"
_AUTHZ: Final = "authz0"
_USER: Final = "qemu"
_KEY: Final = 32
"""Bytes of a pre-shared key."""


class Credential(StrEnum):
    """What one end holds."""

    X509 = "x509"
    """A certificate of the run's authority, and that authority's own."""
    EXPIRED = "x509, expired"
    FOREIGN = "x509 of another authority"
    ANONYMOUS = "x509, no certificate of its own"
    PSK = "psk"
    OTHER_KEY = "psk, another key"

    @property
    def psk(self) -> bool:
        """It is a key that both ends must share."""
        return self in (Credential.PSK, Credential.OTHER_KEY)


class Interruption(StrEnum):
    """What happens to one end at the handshake: it stands still for a while, or dies."""

    DESTINATION_STOPPED = "the destination stands still"
    DESTINATION_KILLED = "the destination dies"
    SOURCE_STOPPED = "the source stands still"
    SOURCE_KILLED = "the source dies"

    @property
    def of_source(self) -> bool:
        """It happens to the source."""
        return self in (Interruption.SOURCE_STOPPED, Interruption.SOURCE_KILLED)

    @property
    def fatal(self) -> bool:
        """It does not go on."""
        return self in (Interruption.DESTINATION_KILLED, Interruption.SOURCE_KILLED)


@dataclass(frozen=True, slots=True)
class Tls:
    """What both ends hold, None for one that does not know of TLS."""

    source: Credential | None = Credential.X509
    destination: Credential | None = Credential.X509
    hostname: str | None = DESTINATION
    """Whose certificate the source expects (``tls-hostname``); None for whoever its address names."""
    admits: str | None = None
    """The name that the destination lets in (``tls-authz``), None for whoever has a certificate."""
    sanity: bool = True
    """Each end looks at its own certificate before it uses it (``sanity-check``)."""

    def of(self, side: Role) -> Credential | None:
        """What one end holds."""
        return self.source if side == "sender" else self.destination

    def parameters(self, side: Role) -> dict[str, Any]:
        """Migration parameters of one end, in QMP's names."""
        credential = self.of(side)
        if credential is None:
            return {}
        told = {"tls-creds": _ID}
        if side == "sender" and self.hostname is not None and not credential.psk:
            told["tls-hostname"] = self.hostname
        if side == "receiver" and self.admits is not None:
            told["tls-authz"] = _AUTHZ
        return told

    def arguments(self, side: Role, store: Store) -> tuple[str, ...]:
        """What the QEMU of one end is started with."""
        credential = self.of(side)
        if credential is None:
            return ()
        server = side == "receiver"
        told: dict[str, Any] = {"id": _ID, "dir": str(store.directory(credential, side))}
        told["endpoint"] = "server" if server else "client"
        if credential.psk:
            given: list[Mapping[str, Any]] = [{"qom-type": "tls-creds-psk", **told}]
            if not server:
                given[0] = {**given[0], "username": _USER}
        else:
            given = [{"qom-type": "tls-creds-x509", **told, "verify-peer": True, "sanity-check": self.sanity}]
        if server and self.admits is not None:
            rule = {"match": f"*CN={self.admits}*", "policy": "allow", "format": "glob"}
            given.append({"qom-type": "authz-list", "id": _AUTHZ, "policy": "deny", "rules": [rule]})
        return tuple(word for each in given for word in ("-object", json.dumps(each)))


class Store:
    """Credentials in files below ``root``, each made when it is first asked for: none outlives the run's scratch."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._authority = CA()
        self._foreign = CA()
        self._key = secrets.token_hex(_KEY)

    def directory(self, credential: Credential, side: Role) -> Path:
        """Where one end finds it."""
        server = side == "receiver"
        directory = self._root / f"{side}-{credential.name.lower()}"
        if directory.exists():
            return directory
        directory.mkdir(parents=True, mode=0o700)
        if credential.psk:
            key = self._key if credential is Credential.PSK else secrets.token_hex(_KEY)
            (directory / "keys.psk").write_text(f"{_USER}:{key}\n", encoding="ascii")
            return directory
        (directory / "ca-cert.pem").write_bytes(self._authority.cert_pem.bytes())
        if credential is not Credential.ANONYMOUS:
            self._certificate(credential, directory / ("server" if server else "client"), server)
        return directory

    def _certificate(self, credential: Credential, prefix: Path, server: bool) -> None:
        authority = self._foreign if credential is Credential.FOREIGN else self._authority
        names = (DESTINATION, "127.0.0.1") if server else (SOURCE,)
        yesterday = datetime.now(UTC) - timedelta(days=1)
        leaf = authority.issue_cert(
            *names, common_name=names[0], not_before=yesterday - timedelta(days=1),
            not_after=yesterday if credential is Credential.EXPIRED else None,
        )  # fmt: skip
        prefix.with_name(f"{prefix.name}-key.pem").write_bytes(leaf.private_key_pem.bytes())
        prefix.with_name(f"{prefix.name}-cert.pem").write_bytes(_chain(leaf))


def _chain(leaf: LeafCert) -> bytes:
    return b"".join(pem.bytes() for pem in leaf.cert_chain_pems)
