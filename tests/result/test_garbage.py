"""The search for garbage waits, and goes on as it was."""

from __future__ import annotations

import gc

import pytest

from multifd.result.garbage import uncollected


@pytest.mark.parametrize("on", [True, False])
def test_it_waits_and_is_afterwards_what_it_was(on: bool) -> None:
    before = gc.isenabled()
    (gc.enable if on else gc.disable)()
    try:
        with uncollected():
            within = gc.isenabled()
        after = gc.isenabled()
    finally:
        (gc.enable if before else gc.disable)()

    assert (within, after) == (False, on)


def test_it_goes_on_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), uncollected():
        _ = 1 // 0

    assert gc.isenabled()
