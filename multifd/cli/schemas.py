"""``multifd schema``: what machines may rely on."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import click

from multifd.comparison import published as comparison
from multifd.profile import schema as profile
from multifd.result import schema as results

SCHEMAS: Final[Mapping[str, Callable[[], dict[str, Any]]]] = {
    "results": results.schema,
    "comparison": comparison.schema,
    "profile": profile.schema,
}


@click.command()
@click.argument("name", type=click.Choice(list(SCHEMAS)), default="results")
def schema(name: str) -> None:
    """Print a JSON Schema: of results.json, of what multifd diff --json prints, or of a hardware profile.

    What it promises is in docs/results.md.
    """
    print(json.dumps(SCHEMAS[name](), indent=1, sort_keys=True))
