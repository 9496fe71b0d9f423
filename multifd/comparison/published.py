"""The JSON Schema of what ``multifd diff --json`` prints."""

from __future__ import annotations

from typing import Any, Final

from multifd.comparison import cast, cells, compared, costs, findings
from multifd.comparison.compared import SCHEMA, Comparison
from multifd.result.schema import described

ID: Final = f"urn:{SCHEMA.replace('/', ':')}"


def schema() -> dict[str, Any]:
    """The schema as the models have it now."""
    return described(Comparison, ID, compared, cells, cast, costs, findings)
