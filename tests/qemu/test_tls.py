"""Credentials for TLS: made where they are asked for, as QEMU names them, and what each end is told of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from multifd.qemu.tls import DESTINATION, SOURCE, Credential, Store, Tls
from multifd.result.record import Role


def objects(tls: Tls, side: Role, store: Store) -> list[dict[str, Any]]:
    """What QEMU's ``-object`` are given."""
    arguments = tls.arguments(side, store)
    assert set(arguments[::2]) <= {"-object"}
    return [json.loads(each) for each in arguments[1::2]]


def certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


@pytest.mark.parametrize(("side", "end", "name"), [("sender", "client", SOURCE), ("receiver", "server", DESTINATION)])
def test_each_end_has_its_certificate_and_the_authority(side: Role, end: str, name: str, tmp_path: Path) -> None:
    directory = Store(tmp_path).directory(Credential.X509, side)

    assert {path.name for path in directory.iterdir()} == {"ca-cert.pem", f"{end}-cert.pem", f"{end}-key.pem"}
    leaf, authority = certificate(directory / f"{end}-cert.pem"), certificate(directory / "ca-cert.pem")
    leaf.verify_directly_issued_by(authority)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert name in names.get_values_for_type(x509.DNSName)


def test_both_ends_have_one_authority(tmp_path: Path) -> None:
    store = Store(tmp_path)
    ends: tuple[Role, Role] = ("sender", "receiver")

    first, second = ((store.directory(Credential.X509, side) / "ca-cert.pem").read_bytes() for side in ends)

    assert first == second


def test_an_expired_certificate_was_once_right(tmp_path: Path) -> None:
    leaf = certificate(Store(tmp_path).directory(Credential.EXPIRED, "receiver") / "server-cert.pem")

    assert leaf.not_valid_before_utc < leaf.not_valid_after_utc < datetime.now(UTC)


def test_a_foreign_certificate_is_not_of_the_authority_that_the_source_knows(tmp_path: Path) -> None:
    store = Store(tmp_path)
    leaf = certificate(store.directory(Credential.FOREIGN, "receiver") / "server-cert.pem")
    known = certificate(store.directory(Credential.X509, "sender") / "ca-cert.pem")

    with pytest.raises(Exception):  # noqa: B017  (names, and then signatures, do not match)
        leaf.verify_directly_issued_by(known)


def test_who_is_anonymous_knows_the_authority_and_has_nothing_else(tmp_path: Path) -> None:
    directory = Store(tmp_path).directory(Credential.ANONYMOUS, "sender")

    assert [path.name for path in directory.iterdir()] == ["ca-cert.pem"]


def test_a_key_is_a_line_of_a_user_and_hexadecimal_digits_and_shared(tmp_path: Path) -> None:
    store = Store(tmp_path)

    lines = [(store.directory(Credential.PSK, side) / "keys.psk").read_text() for side in ("sender", "receiver")]

    user, key = lines[0].rstrip("\n").split(":")
    assert (user, len(bytes.fromhex(key))) == ("qemu", 32)
    assert lines[0] == lines[1]


def test_another_key_is_another(tmp_path: Path) -> None:
    store = Store(tmp_path)

    keys = {(store.directory(each, "sender") / "keys.psk").read_text() for each in Credential if each.psk}

    assert len(keys) == 2


def test_nobody_else_can_read_credentials(tmp_path: Path) -> None:
    assert Store(tmp_path).directory(Credential.PSK, "sender").stat().st_mode & 0o077 == 0


def test_source_and_destination_are_client_and_server(tmp_path: Path) -> None:
    store = Store(tmp_path)

    (source,), (destination,) = objects(Tls(), "sender", store), objects(Tls(), "receiver", store)

    assert (source["endpoint"], destination["endpoint"]) == ("client", "server")
    assert source["verify-peer"] is destination["verify-peer"] is True


def test_who_is_let_in_is_a_list_of_the_destination(tmp_path: Path) -> None:
    tls = Tls(admits=SOURCE)

    _, admitting = objects(tls, "receiver", Store(tmp_path))

    assert (admitting["qom-type"], admitting["policy"]) == ("authz-list", "deny")
    assert admitting["rules"] == [{"match": f"*CN={SOURCE}*", "policy": "allow", "format": "glob"}]
    assert tls.parameters("receiver")["tls-authz"] == admitting["id"]


def test_a_name_is_expected_by_the_source_alone_and_of_certificates_alone() -> None:
    assert Tls().parameters("sender")["tls-hostname"] == DESTINATION
    assert "tls-hostname" not in Tls().parameters("receiver")
    assert "tls-hostname" not in Tls(hostname=None).parameters("sender")
    assert "tls-hostname" not in Tls(Credential.PSK, Credential.PSK).parameters("sender")


def test_an_end_that_knows_no_tls_is_told_nothing_of_it(tmp_path: Path) -> None:
    tls = Tls(source=None)

    assert (tls.arguments("sender", Store(tmp_path)), tls.parameters("sender")) == ((), {})
