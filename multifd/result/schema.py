"""The published JSON Schema of ``results.json``: ``multifd/result/results.schema.json`` is made from the models."""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from pydantic import BaseModel

from multifd.result import circumstances, record
from multifd.result.record import SCHEMA_ID, Results

PATH: Final = Path(__file__).with_name("results.schema.json")
ID: Final = f"urn:{SCHEMA_ID.replace('/', ':')}"
"""The project has no address of its own, so the schema's name is none."""


def schema() -> dict[str, Any]:
    """The schema as the models have it now."""
    return described(Results, ID, record, circumstances)


def described(model: type[BaseModel], identifier: str, *modules: ModuleType) -> dict[str, Any]:
    """The JSON Schema of a model whose parts are in these modules, with what they say of each of their fields.

    The line below a field says it. Pydantic could read it too (``use_attribute_docstrings``), at every start of every
    program that reads results; this is read here, when the schema is made.
    """
    # As written, not as read: all fields are there, also those with a default.
    made = model.model_json_schema(by_alias=True, mode="serialization")
    said = {name: dict(fields) for module in modules for name, fields in _classes(module)}
    for name, part in (*made.get("$defs", {}).items(), (model.__name__, made)):
        for key, field in part["properties"].items():
            field["description"] = said[name]["schema_id" if key == "schema" else key]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": identifier, **made}


def text() -> str:
    """The schema as it stands in the file."""
    return json.dumps(schema(), indent=1, sort_keys=True) + "\n"


def _classes(module: ModuleType) -> Iterator[tuple[str, Iterator[tuple[str, str]]]]:
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.ClassDef):
            yield node.name, _fields(node)


def _fields(model: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for node, below in pairwise(model.body):
        match node, below:
            case ast.AnnAssign(target=ast.Name(name)), ast.Expr(ast.Constant(str() as said)):
                yield name, re.sub(r"\bNone\b", "null", " ".join(said.replace("``", "`").split()))


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
