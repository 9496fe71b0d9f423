"""Cells about vendor libraries, with scripts in the place of reproducers: what each way to end comes to."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from multifd.libraries.find import Library
from multifd.oracle.question import Prediction
from multifd.oracle.verdict import Observation, judge
from multifd.plan.work import Check, Fidelity, Reproducer
from multifd.process import python
from multifd.result.record import Sides
from multifd.run import vendor
from multifd.run.vendor import Skipped, compare, examine

LIBRARY = Library("qatzip", Path("/lib/libqatzip.so.3"), "2.0.0", "host", (), (2, 36))
IDENTICAL = Prediction("identical", "vendor", "it keeps its word", None, ())


OVERRUN = Reproducer(library="qatzip", framing="qatzip", name="overrun")
SIZES = Check(library="qatzip", framing="qatzip", name="sizes")


def ran(tmp_path: Path, program: str, deadline: float = 20) -> Observation:
    return examine(OVERRUN, LIBRARY, deadline, 10_000, written(tmp_path, program)).observation


def written(directory: Path, program: str) -> Path:
    """Where the reproducers are, of which this is one."""
    (directory / "qatzip").mkdir()
    (directory / "qatzip/overrun.py").write_text(program, encoding="utf-8")
    return directory


@pytest.mark.parametrize(
    ("severity", "outcome", "kind"),
    [
        ("corruption", "hazard", "corrupt"),
        ("crash", "crash", "crash"),
        ("hang", "hang", "hang"),
        ("leak", "identical", "invariant"),
        ("contract", "identical", "invariant"),
    ],
)
def test_what_is_shown_fails_the_cell(tmp_path: Path, severity: str, outcome: str, kind: str) -> None:
    seen = ran(tmp_path, f"print('details')\nprint('shown: {severity}: 3 bytes behind it')")

    judgement = judge(IDENTICAL, seen)
    assert (seen.outcome, seen.error, judgement.verdict, judgement.kind) == (
        outcome, "3 bytes behind it", "fail", kind,
    )  # fmt: skip


def test_what_is_gone_passes(tmp_path: Path) -> None:
    assert judge(IDENTICAL, ran(tmp_path, "print('gone: nothing behind it')")).verdict == "pass"


def test_what_cannot_be_shown_is_skipped(tmp_path: Path) -> None:
    with pytest.raises(Skipped, match=r"^a device is there$"):
        ran(tmp_path, "print('skipped: a device is there')")


def test_a_script_that_dies_has_shown_a_crash(tmp_path: Path) -> None:
    seen = ran(tmp_path, "import os\nprint('shown: contract: early', flush=True)\nos.abort()")

    assert (seen.outcome, seen.error) == ("crash", "killed by signal 6 (Aborted)")


def test_a_script_that_hangs_has_shown_a_hang(tmp_path: Path) -> None:
    seen = ran(tmp_path, "import time\ntime.sleep(60)", deadline=1)

    assert (seen.outcome, seen.error) == ("hang", "did not end within 1 s")


def test_a_script_that_floods_is_stopped(tmp_path: Path) -> None:
    seen = ran(tmp_path, "import sys\nwhile True: print('no hardware', file=sys.stderr)")

    assert (seen.outcome, seen.error) == ("crash", "was stopped for what it wrote without end")


def test_a_script_that_fails_is_our_defect_and_not_the_librarys(tmp_path: Path) -> None:
    seen = ran(tmp_path, "print('shown: crash: x')\nraise SystemExit('no such module')")

    assert seen.outcome == "broken"
    assert seen.detail == (
        "exit status 1, last line 'shown: crash: x', expected 'shown: …', 'gone: …' or 'skipped: …';"
        " its log ends: no such module"
    )


@pytest.mark.parametrize("last", ["", "shown: nonsense: x", "shown: crash:", "done"])
def test_a_last_line_that_is_no_evidence_is_our_defect(tmp_path: Path, last: str) -> None:
    seen = ran(tmp_path, f"print({last!r})")

    assert (seen.outcome, seen.detail) == (
        "broken", f"exit status 0, last line {last!r}, expected 'shown: …', 'gone: …' or 'skipped: …'",
    )  # fmt: skip


def test_the_library_that_was_found_is_the_one_that_is_loaded(tmp_path: Path) -> None:
    seen = ran(tmp_path, "import os\nprint('shown: contract:', os.environ['QATZIP_LIBRARY'])")

    assert seen.error == "/lib/libqatzip.so.3"


def test_it_runs_in_the_vendors_software(tmp_path: Path) -> None:
    reproducers = written(tmp_path, "print('gone: x')")

    outcome = examine(OVERRUN, LIBRARY, 20, reproducers=reproducers)

    assert outcome.provenance == Sides(sender="vendor-software", receiver="vendor-software")


def checked(monkeypatch: pytest.MonkeyPatch, lines: Sequence[Mapping[str, Any] | str], status: int) -> Observation:
    text = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
    program = f"print({text!r}, end='')\nraise SystemExit({status})"

    def command(library: Library, arguments: Sequence[str]) -> tuple[tuple[str, ...], dict[str, str]]:
        assert arguments == ["-m", "multifd.scrutiny", "sizes", "qatzip"]
        return (sys.executable, "-c", program), {}

    monkeypatch.setattr(vendor, "python_command", command)
    return examine(SIZES, LIBRARY, 20).observation


def case(name: str, observed: str, severity: str | None) -> dict[str, Any]:
    return {"case": name, "expected": "right", "observed": observed, "ok": severity is None, "severity": severity}


def test_a_check_without_a_complaint_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checked(monkeypatch, [case("one", "right", None)], 0) == Observation("identical")


def test_complaints_of_a_check_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [case("one", "short", "contract"), case("two", "right", None), case("three", "wrong", "corruption")]

    seen = checked(monkeypatch, lines, 1)

    assert seen.error == "2 observations differ, the first: one: expected right, observed short"
    assert seen.complaints == (
        "one: expected right, observed short", "three: expected right, observed wrong",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("severities", "outcome"),
    [(["contract", "corruption"], "hazard"), (["leak", "crash"], "crash"), (["contract", "leak"], "identical")],
)
def test_the_worst_complaint_decides(monkeypatch: pytest.MonkeyPatch, severities: list[str], outcome: str) -> None:
    lines = [case(severity, "wrong", severity) for severity in severities]

    assert checked(monkeypatch, lines, 1).outcome == outcome


@pytest.mark.parametrize(
    ("lines", "status", "what"),
    [
        ([], 0, "0 observations, of which 0 differ"),
        ([case("one", "right", None)], 2, "1 observations, of which 0 differ"),
        ([case("one", "right", None)], 1, "1 observations, of which 0 differ"),
        ([case("one", "wrong", "contract")], 0, "1 observations, of which 1 differ"),
        ([case("one", "wrong", "contract")], 3, "1 observations, of which 1 differ"),
        (["no JSON"], 0, "a line that is no observation"),
        ([{"case": "one"}], 0, "a line that is no observation"),
    ],
)
def test_a_check_that_breaks_is_our_defect(
    monkeypatch: pytest.MonkeyPatch, lines: Sequence[Mapping[str, Any] | str], status: int, what: str
) -> None:
    seen = checked(monkeypatch, lines, status)

    assert (seen.outcome, seen.detail) == ("broken", f"exit status {status}, {what}")


def held(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, status: int) -> Observation:
    """An emulation held against its library by a program that prints this."""
    program = tmp_path / "fidelity"
    program.write_text(f"#!{sys.executable}\nprint({text!r}, end='')\nraise SystemExit({status})\n")
    program.chmod(0o755)
    monkeypatch.setattr(python, "INTERPRETER", (str(program),))
    monkeypatch.setattr(vendor, "python_command", lambda *_: ((), {}))
    return compare(
        Fidelity(library="qatzip", framing="qatzip", emulation="qat-emulated", streams=5), LIBRARY, 20
    ).observation


def test_an_emulation_that_agrees_passes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert held(monkeypatch, tmp_path, "a table\n", 0) == Observation("identical")


def test_disagreements_are_listed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen = held(monkeypatch, tmp_path, "a table\nDISAGREE one\n    00ff\nDISAGREE two\n", 1)

    assert (seen.outcome, seen.complaints) == ("hazard", ("DISAGREE one", "DISAGREE two"))
    assert seen.error == "2 disagreements are shown, the first: DISAGREE one"


@pytest.mark.parametrize(("text", "status"), [("", 1), ("", 3), ("DISAGREE one\n", 0), ("DISAGREE one\n", 3)])
def test_a_comparison_that_breaks_is_our_defect(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, status: int
) -> None:
    assert held(monkeypatch, tmp_path, text, status).outcome == "broken"
