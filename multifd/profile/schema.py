"""The published JSON Schema of profiles: ``hwprofiles/profile.schema.json`` is made from the model."""

from __future__ import annotations

import json
from typing import Any, Final

from multifd.profile.load import DIRECTORY
from multifd.profile.model import Profile

PATH: Final = DIRECTORY / "profile.schema.json"


def schema() -> dict[str, Any]:
    """The schema of a file as the model has it now: what is required may come from the profile that it extends."""
    model = Profile.model_json_schema()
    inherited = [key for key in model["required"] if key != "description"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **model,
        "required": ["description"],
        "anyOf": [{"required": ["extends"]}, {"required": inherited}],
    }


def text() -> str:
    """The schema as it stands in the file."""
    return json.dumps(schema(), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
