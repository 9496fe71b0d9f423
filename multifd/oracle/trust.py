"""Who lets whom in: what follows from what both ends hold for TLS, and what happens at the handshake.

Of a refused handshake the words are those of whoever refuses, GnuTLS's where QEMU has none (crypto/tlssession.c and
crypto/tlscredsx509.c, QEMU 10.0). The other end knows only that its connection has gone. A destination that lets
nobody in goes on waiting, and takes the next who comes.
"""

from __future__ import annotations

from typing import Final

from multifd.oracle.decision import Decision
from multifd.oracle.question import Question
from multifd.qemu.tls import DESTINATION, SOURCE, Credential, Tls

_HELLO: Final = "received packet magic 16030101 expected 11223344|unknown channel magic: 369295617"
"""The first bytes of TLS's client, where the first of a channel were due: 10.0 and 11.1."""
_GONE: Final = "TLS handshake failed: "


def distrusted(q: Question) -> Decision | None:
    """Why no connection comes about, None if all do."""
    if q.tls is None:
        return None
    return _unlike(q.tls) or _server(q.tls) or _client(q.tls)


def interrupted(q: Question) -> Decision | None:
    """Who is left when the other end dies at the handshake must say so."""
    if q.interruption is None or not q.interruption.fatal:
        return None
    left = "destination" if q.interruption.of_source else "source"
    return Decision("rejected", f"{q.interruption} at the handshake, and the {left} says so", _GONE)


def _unlike(tls: Tls) -> Decision | None:
    if tls.source is None:
        return Decision(
            "rejected", "the source speaks no TLS, and the destination does", "An unexpected TLS packet was received"
        )
    if tls.destination is None:
        return Decision("rejected", "the source speaks TLS, and the destination does not", _HELLO)
    if tls.source.psk and tls.source is not tls.destination:
        return Decision("rejected", "the ends hold different keys", "An illegal parameter has been received")
    return None


def _server(tls: Tls) -> Decision | None:
    """The destination's certificate, at which it looks itself, and then the source."""
    match tls.destination:
        case Credential.EXPIRED if tls.sanity:
            return Decision(
                "rejected", "the destination's certificate has expired, and it looks at it first",
                "The server certificate .* has expired",
            )  # fmt: skip
        case Credential.EXPIRED:
            return Decision("rejected", "the destination's certificate has expired", "The certificate is not trusted")
        case Credential.FOREIGN:
            return Decision(
                "rejected", "the source does not know who has signed the destination's certificate",
                "The certificate hasn't got a known issuer",
            )  # fmt: skip
        case Credential.X509 if tls.hostname not in (None, DESTINATION):
            return Decision(
                "rejected", f"the destination's certificate is of {DESTINATION}, the source expects {tls.hostname}",
                f"Certificate does not match the hostname {tls.hostname}",
            )  # fmt: skip
        case _:
            return None


def _client(tls: Tls) -> Decision | None:
    """The source's certificate, at which the destination looks."""
    if tls.source is Credential.ANONYMOUS:
        return Decision(
            "rejected", "the destination asks for a certificate, and the source has none",
            "Verify failed: No certificate was found",
        )  # fmt: skip
    if tls.admits not in (None, SOURCE):
        return Decision(
            "rejected", f"the destination lets in {tls.admits}, and the source is {SOURCE}",
            f"TLS x509 authz check for .*CN={SOURCE} is denied",
        )  # fmt: skip
    return None
