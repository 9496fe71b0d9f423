"""The published JSON Schema of profiles: it is the model's, and says no to what the model refuses."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
import yaml

from multifd.profile import schema
from multifd.profile.load import shipped


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_profile_is_valid_by_the_published_schema(name: str) -> None:
    published = json.loads(schema.PATH.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(published)

    jsonschema.validate(yaml.safe_load(shipped()[name].read_text(encoding="utf-8")), published)


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"extends": "auto"},
        {"description": "d"},
        {"description": "d", "peers": []},
        {"description": "d", "peers": [{"codec": "zlib", "level": 1}]},
        {"description": "d", "peers": [{"codec": "zlib", "parameters": {"level": True}}]},
        {"description": "d", "peers": [{"codec": "zlib", "parameters": {"level": "3"}}]},
        {"description": "d", "peers": [{"name": "n", "command": ["\0"]}]},
        {"description": "d", "peers": [{"name": "n", "command": ["x"], "environment": {"A=B": "x"}}]},
        {"description": "d", "peers": [{"name": "n", "command": ["x"], "environment": {"": "x"}}]},
        {"description": "d", "peers": [{"name": "n", "command": ["x"], "environment": {"A": "\0"}}]},
        {"description": "d", "extends": "auto", "deadlines": {"hello": 0.5}},
        {"description": "d", "extends": "auto", "deadlines": {"request": 86401}},
        {"description": "d", "extends": "auto", "devices": {"gpu": {"policy": "use"}}},
        {"description": "d", "extends": "auto", "devices": {"qat": {"polcy": "use"}}},
    ],
)
def test_the_published_schema_refuses_what_the_model_refuses(content: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, schema.schema())


def test_the_published_schema_is_the_models() -> None:
    """If this fails: ``python -m multifd.profile.schema``."""
    assert schema.PATH.read_text(encoding="utf-8") == schema.text()
