"""Entry point of both test trees: ``pytest suites`` is a conformance run, ``pytest tests`` tests this project."""

from __future__ import annotations

import pytest

from fixtures import options

pytest_plugins = ["fixtures.plugin", "fixtures.concluding"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """The run's options; ``pytest suites --help`` shows them under 'multifd conformance'."""
    options.add(parser)
