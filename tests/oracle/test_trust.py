"""Who lets whom in, by what both ends hold for TLS, and who says so; the words are those of real QEMUs."""

from __future__ import annotations

import re

import pytest

from multifd.oracle.predict import predict
from multifd.oracle.question import Prediction
from multifd.qemu.tls import SOURCE, Credential, Interruption, Tls
from tests.oracle.builder import ask


def of(tls: Tls | None, interruption: Interruption | None = None) -> Prediction:
    return predict(ask("zlib", to_qemu=True, tls=tls, interruption=interruption))


@pytest.mark.parametrize(
    "tls",
    [
        None,
        Tls(),
        Tls(hostname=None),
        Tls(admits=SOURCE),
        Tls(Credential.PSK, Credential.PSK),
        Tls(Credential.PSK, Credential.PSK, hostname="elsewhere.example"),
        Tls(sanity=False),
    ],
)
def test_who_trusts_the_other_migrates(tls: Tls | None) -> None:
    assert of(tls).outcome == "identical"


@pytest.mark.parametrize(
    ("tls", "said"),
    [
        (Tls(destination=Credential.EXPIRED), "The server certificate /tmp/x/server-cert.pem has expired"),
        (Tls(destination=Credential.EXPIRED, sanity=False), "source failed: The certificate is not trusted"),
        (Tls(destination=Credential.FOREIGN, sanity=False), "The certificate hasn't got a known issuer"),
        (Tls(hostname="elsewhere.example"), "Certificate does not match the hostname elsewhere.example"),
        (Tls(Credential.ANONYMOUS), "destination setup: Verify failed: No certificate was found."),
        (Tls(admits="x.example"), "TLS x509 authz check for O=o,OU=u,CN=source.example is denied"),
        (Tls(Credential.OTHER_KEY, Credential.PSK), "TLS handshake failed: An illegal parameter has been received."),
        (Tls(source=None), "TLS handshake failed: An unexpected TLS packet was received."),
        (Tls(destination=None), "multifd: received packet magic 16030101 expected 11223344"),
        (Tls(destination=None), "unknown channel magic: 369295617"),
    ],
)
def test_who_does_not_trust_the_other_says_why(tls: Tls, said: str) -> None:
    prediction = of(tls)

    assert (prediction.outcome, prediction.rule) == ("rejected", "trust")
    assert prediction.error is not None
    assert re.search(prediction.error, said)


def test_no_two_reasons_share_their_words() -> None:
    causes = (
        Tls(destination=Credential.EXPIRED), Tls(destination=Credential.EXPIRED, sanity=False),
        Tls(destination=Credential.FOREIGN), Tls(hostname="x"), Tls(Credential.ANONYMOUS), Tls(admits="x"),
        Tls(Credential.OTHER_KEY, Credential.PSK), Tls(source=None), Tls(destination=None),
    )  # fmt: skip

    assert len({of(tls).error for tls in causes}) == len(causes)


@pytest.mark.parametrize("interruption", [each for each in Interruption if each.fatal])
def test_the_death_of_one_end_at_the_handshake_is_told_by_the_other(interruption: Interruption) -> None:
    prediction = of(Tls(), interruption)

    assert (prediction.outcome, prediction.rule) == ("rejected", "interrupted")
    assert ("source says so" in prediction.reason) != interruption.of_source


@pytest.mark.parametrize("interruption", [each for each in Interruption if not each.fatal])
def test_an_end_that_is_late_at_the_handshake_costs_nothing_but_time(interruption: Interruption) -> None:
    assert of(Tls(), interruption).outcome == "identical"
