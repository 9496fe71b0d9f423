"""A plugin for runs whose own tests break: what happens outside a cell, in each phase of the test of one peer."""

from __future__ import annotations

from typing import Final

import pytest

BREAKS: Final = {"setup": "none", "call": "zlib", "teardown": "zstd"}
"""Whose probe breaks, by the phase."""


def _break(item: pytest.Item, phase: str) -> None:
    if item.name.endswith(f"[probe/{BREAKS[phase]}]"):
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
