"""A plugin for runs whose own tests break: what happens outside a cell, in the phase of a test that is asked for."""

from __future__ import annotations

import os
from typing import Final

import pytest

PHASE: Final = "MULTIFD_TEST_BREAKS"
"""Variable that names the phase."""
BROKEN: Final = "[probe/zlib]"
"""The test that breaks."""


def _break(item: pytest.Item, phase: str) -> None:
    if item.name.endswith(BROKEN) and os.environ.get(PHASE) == phase:
        raise OSError("the disk is gone")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before the cell."""
    _break(item, "setup")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """In the place of the cell."""
    _break(item, "call")


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """After the cell, which passed."""
    _break(item, "teardown")
