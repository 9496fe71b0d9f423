"""The contract's models: plain data that nobody changes."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tests.reports.builder import cell, results


def test_a_record_does_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        cell().verdict = "pass"


def test_results_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        results().cells = ()


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="colour"):
        cell(colour="red")
