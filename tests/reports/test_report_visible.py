"""Text of others: nothing in it acts, everything in it shows."""

from __future__ import annotations

import pytest

from reports.upstream import address
from reports.visible import link, made_visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "\\u001b[31mred"),
        ("a\x00b\x7f\x9b", "a\\u0000b\\u007f\\u009b"),
        ("exe.\u202egnp", "exe.\\u202egnp"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("half \ud800", "half \\ud800"),
        ("new\rline", "new\\u000dline"),
        ("a tab\tand a line\nmay be", "a tab\tand a line\nmay be"),
        ("µ → 中", "µ → 中"),
    ],
)
def test_what_cannot_be_seen_is_written_out(text: str, shown: str) -> None:
    assert made_visible(text) == shown


def test_text_is_found_in_data_of_any_depth() -> None:
    assert made_visible({"\x1b": ["\x07", {"n": (1, None, "\x08")}]}) == {
        "\\u001b": ["\\u0007", {"n": [1, None, "\\u0008"]}]
    }


def test_a_file_below_the_report_is_linked() -> None:
    assert link("exhibits/wire/zlib~isal[level=0]/4k/a b#1.json") == (
        "./exhibits/wire/zlib~isal%5Blevel%3D0%5D/4k/a%20b%231.json"
    )


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "../secret", "a/../../b", "a//b", "//host/a", "a\\b", "a/\x1b", "./a", "a/"]
)
def test_no_other_path_is(path: str) -> None:
    assert link(path) is None


def test_a_scheme_is_a_name_of_a_file_and_nothing_else() -> None:
    assert link("javascript:alert(1)") == "./javascript%3Aalert%281%29"


@pytest.mark.parametrize(
    ("citation", "leads"),
    [
        ("QEMU commit 93c8a97f99", "https://gitlab.com/qemu-project/qemu/-/commit/93c8a97f99"),
        ("intel/qpl issue 21", "https://github.com/intel/qpl/issues/21"),
        ("https://example.org/x", None),
        ("QEMU commit 93c8a97f99\nhttps://example.org", None),
        ("evil/repo issue 1", None),
        ("javascript:alert(1)", None),
    ],
)
def test_only_what_is_cited_as_we_cite_it_leads_upstream(citation: str, leads: str | None) -> None:
    assert address(citation) == leads
