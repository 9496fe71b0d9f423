"""Parts of pages that stand in the page itself, and the policy that lets a browser load, send and run nothing else."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files


@cache
def part(name: str) -> str:
    """A file of the page's templates."""
    return files("reports").joinpath("templates", "page", name).read_text(encoding="utf-8")


def policy(style: str, script: str | None = None) -> str:
    """What ``Content-Security-Policy`` says: this very style, and this very script if there is one."""
    allowed = [*([] if script is None else [f"script-src {_hash(script)}"]), f"style-src {_hash(style)}"]
    return f"default-src 'none'; {'; '.join(allowed)}; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
