"""The layout of a history, and how it came to be: one script for each version, run in order on what is older.

A history is told from any other SQLite file by its ``application_id``, and its version is its ``user_version``.
"""

from __future__ import annotations

from typing import Final

APPLICATION: Final = 0x6D666864
"""``mfhd`` in ASCII."""

SCRIPTS: Final[tuple[str, ...]] = (
    """
    CREATE TABLE run (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        digest TEXT NOT NULL,            -- SHA-256 of its results: equal ones need not be added again
        started TEXT NOT NULL,           -- ISO 8601, UTC, always of the same width, so that it sorts
        finished TEXT,
        complete INTEGER NOT NULL,
        exit_code INTEGER NOT NULL,
        profile TEXT NOT NULL,
        seed TEXT NOT NULL,              -- a number, of any size
        plan TEXT NOT NULL,
        cpu TEXT NOT NULL,
        versions TEXT NOT NULL,          -- JSON: {name: version}
        peers TEXT NOT NULL,             -- JSON: {name: "version, provenance"}
        planned TEXT NOT NULL,           -- JSON: {suite: cells}
        reach TEXT NOT NULL              -- JSON: {"pairs": [had, feasible], "triples": [had, feasible]}
    );
    CREATE TABLE cell (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        suite TEXT NOT NULL,
        framing TEXT NOT NULL,
        sender TEXT NOT NULL,
        receiver TEXT NOT NULL
    );
    CREATE TABLE said (                  -- a reason is that of many cells
        number INTEGER PRIMARY KEY,
        words TEXT NOT NULL UNIQUE
    );
    CREATE TABLE record (
        cell INTEGER NOT NULL REFERENCES cell,
        run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
        verdict TEXT NOT NULL,
        kind TEXT,
        device_verdict TEXT NOT NULL,
        sender_ran TEXT,                 -- provenance
        receiver_ran TEXT,
        reason INTEGER NOT NULL REFERENCES said,
        bytes_memory INTEGER NOT NULL,
        sender_cpu REAL,                 -- seconds
        receiver_cpu REAL,
        PRIMARY KEY (cell, run)
    ) WITHOUT ROWID;
    CREATE INDEX record_of_run ON record (run);
    """,
)

VERSION: Final = len(SCRIPTS)
