"""The published JSON Schema of ``results.json``: ``multifd/result/results.schema.json`` is made from the models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from multifd.result.record import Results

PATH: Final = Path(__file__).with_name("results.schema.json")


def schema() -> dict[str, Any]:
    """The schema as the models have it now."""
    # As written, not as read: all fields are there, also those with a default.
    made = Results.model_json_schema(by_alias=True, mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}


def text() -> str:
    """The schema as it stands in the file."""
    return json.dumps(schema(), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
