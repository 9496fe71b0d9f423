"""A sender's own book-keeping, held to what the newest QEMU promises."""

from __future__ import annotations

from typing import Final

from multifd.plan.scenarios.scenario import Scenario

BOOKKEEPING: Final = (
    Scenario(
        "book-keeping",
        "what the stream says of itself and what the source counts are held to what the newest QEMU promises",
        "qemu", "guest", becomes_zero=True, legacy_zero_pages=True, strict=True,
    ),
)  # fmt: skip
