"""Text of others stands there and does nothing else."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multifd.result.printable import LONGEST, clipped, one_line, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", r"\u001b[2J"),
        ("\x9b31m", r"\u009b31m"),
        ("a\rb", r"a\u000db"),
        ("user\u202exe.exe", r"user\u202exe.exe"),
        ("\u2066", r"\u2066"),
        ("zero\u200bwidth", r"zero\u200bwidth"),
        ("\U000e0041", r"\udb40\udc41"),
        ("\udcff", r"\udcff"),
    ],
    ids=ascii,
)
def test_what_does_something_to_a_reader_is_written_out(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize("text", ["plain", "✓ zlib → isal…", "two\nlines\tand a tab", "漢字", ""], ids=ascii)
def test_what_is_only_shown_is_kept(text: str) -> None:
    assert printable(text) == text


def test_no_character_of_control_format_or_direction_is_left() -> None:
    shown = printable("".join(map(chr, (*range(1 << 16), *range(0xE0000, 0xE0200)))))

    left = {unicodedata.category(each) for each in set(shown) - {"\n", "\t"}}
    assert left & {"Cc", "Cf", "Cs", "Zl", "Zp"} == set()


@settings(max_examples=50)
@given(st.text())
def test_a_document_in_json_stays_one_and_says_the_same(text: str) -> None:
    assert json.loads(printable(json.dumps(text, ensure_ascii=False))) == text


def test_what_is_to_be_one_line_makes_no_other() -> None:
    assert one_line("pc.ram\nch 0\t@0") == r"pc.ram\u000ach 0\u0009@0"


@pytest.mark.parametrize("text", ["", "short", "a" * LONGEST, "漢" * (LONGEST // 3), "\ud800" * (LONGEST // 3)])
def test_what_there_is_room_for_is_kept_whole(text: str) -> None:
    assert clipped(text) == text


@pytest.mark.parametrize("character", ["a", "é", "漢", "\U0001f409", "\ud800"], ids=ascii)
def test_of_what_is_longer_the_beginning_is_kept_and_it_says_so(character: str) -> None:
    shown = clipped("it failed: " + character * 900_000)

    size = 900_000 * len(character.encode(errors="surrogatepass")) // 1024
    assert shown.startswith("it failed: ")
    assert len(shown.encode(errors="surrogatepass")) <= LONGEST
    assert abs(int(shown.partition("… (")[2].partition(" KiB more are left out)")[0]) - (size - 4)) <= 1
    assert clipped(shown) == shown
