"""What may kill the process is done in a child: its answer, or of what it died."""

from __future__ import annotations

import os
import signal

import pytest

from multifd.errors import HarnessError
from multifd.scrutiny.child import Died, fate, in_child
from multifd.scrutiny.observation import Seen


def killed() -> str:
    os.kill(os.getpid(), signal.SIGKILL)
    return "survived"


def left() -> str:
    """A library that calls exit(3) has ended its caller."""
    os._exit(3)


def failed() -> str:
    return str(1 // 0)


def test_an_answer_arrives() -> None:
    assert in_child(lambda: "fine") == "fine"


def test_a_child_that_dies_is_told_by_its_signal() -> None:
    with pytest.raises(Died, match=r"^signal SIGKILL$"):
        in_child(killed)


def test_a_child_that_somebody_ended_is_told_by_its_status() -> None:
    with pytest.raises(Died, match=r"^exit status 3$"):
        in_child(left)


def test_a_child_in_which_our_own_code_failed_is_no_observation() -> None:
    with pytest.raises(HarnessError):
        in_child(failed)


def test_a_death_is_seen_as_a_crash() -> None:
    assert fate(killed) == Seen("signal SIGKILL", "crash")


def test_an_answer_is_seen_as_it_is() -> None:
    assert fate(lambda: "fine") == Seen("fine")
