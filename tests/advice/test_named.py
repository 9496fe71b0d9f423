"""The oracle speaks of dialects; who asked about two releases is told of these."""

from __future__ import annotations

import pytest

from multifd.advice.named import named
from multifd.advice.whom import host


@pytest.mark.parametrize(
    ("sender", "receiver", "said"),
    [
        ("qemu-11.1", "qemu-7.2", "QEMU 11.1 sends what QEMU 7.2 ignores"),
        ("qemu-10.0+qat", "qemu-5.2", "QEMU 10.0 sends what QEMU 5.2 ignores"),
        ("qemu-7.2", "qemu-8.0", "QEMU 10.0-11.1 sends what QEMU 5.0-8.2 ignores"),
    ],
)
def test_a_dialect_is_called_by_the_release_that_was_asked_about(sender: str, receiver: str, said: str) -> None:
    text = "qemu-10.0 sends what qemu-5.0 ignores"

    assert named(text, host(sender, "--from"), host(receiver, "--to")) == said


def test_another_version_is_no_dialect() -> None:
    one, other = host("qemu-10.0", "--from"), host("qemu-7.2", "--to")

    assert named("qemu-10.0.13, qemu-5.01 and rfc-2023", one, other) == "qemu-10.0.13, qemu-5.01 and rfc-2023"
