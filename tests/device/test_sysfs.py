"""The host as files: what cannot be read is unknown, and permissions are those of the user."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from multifd.device.sysfs import User
from tests.device.trees import host

NODE_GROUP = 991
OWNER = User("owner", 1000, frozenset(), None)
MEMBER = User("member", 1001, frozenset({NODE_GROUP}), None)
STRANGER = User("stranger", 1001, frozenset({100}), None)
ROOT = User("root", 0, frozenset(), None)


@pytest.mark.parametrize("path", ["/absent", "/directory", "/text/below"])
def test_what_cannot_be_read_is_unknown(tmp_path: Path, path: str) -> None:
    tree = host(tmp_path, "/directory/file = 1\n/text = one")

    assert (tree.text(path), tree.number(path), tree.link(path), tree.permits("/absent")) == (None, None, None, False)


def test_what_is_no_number_is_unknown(tmp_path: Path) -> None:
    assert host(tmp_path, "/text = none").number("/text") is None


@pytest.mark.parametrize(("text", "number"), [("16", 16), ("0x4940", 0x4940)])
def test_numbers_are_read_with_their_prefix(tmp_path: Path, text: str, number: int) -> None:
    assert host(tmp_path, f"/value = {text}").number("/value") == number


@pytest.mark.parametrize(
    ("mode", "user", "permitted"),
    [
        pytest.param(0o600, OWNER, True, id="owner"),
        pytest.param(0o066, OWNER, False, id="owner is shut out"),
        pytest.param(0o660, MEMBER, True, id="member of the group"),
        pytest.param(0o640, MEMBER, False, id="group only reads"),
        pytest.param(0o606, MEMBER, False, id="group is shut out"),
        pytest.param(0o660, STRANGER, False, id="stranger"),
        pytest.param(0o666, STRANGER, True, id="open to all"),
        pytest.param(0o000, ROOT, True, id="root"),
    ],
)
def test_a_node_opens_for_whom_its_mode_names(mode: int, user: User, permitted: bool) -> None:
    node = os.stat_result((stat.S_IFCHR | mode, 1, 1, 1, OWNER.uid, NODE_GROUP, 0, 0, 0, 0))

    assert user.may_open(node) == permitted
