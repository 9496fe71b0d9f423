"""The program: one line per case, and an exit status that says whether all is well."""

from __future__ import annotations

import json
import sys

import pytest

from multifd.scrutiny import __main__ as program
from multifd.scrutiny.memory import Region
from multifd.scrutiny.subject import Answer
from tests.scrutiny.honest import SHORT, Honest, HonestSession


class Refusing(HonestSession):
    def decompress(self, source: Region, room: Region) -> Answer:
        return SHORT


def run(monkeypatch: pytest.MonkeyPatch, session: type[HonestSession], *arguments: str) -> int:
    monkeypatch.setattr(program, "_subject", lambda name: Honest(session))
    monkeypatch.setattr(sys, "argv", ["scrutiny", *arguments])
    return program.main()


class Broken(HonestSession):
    def decompress(self, source: Region, room: Region) -> Answer:
        raise RuntimeError("not the library's fault")


@pytest.mark.parametrize(("session", "status"), [(HonestSession, 0), (Refusing, 1), (Broken, 3)])
def test_the_status_says_whether_all_is_as_expected(
    monkeypatch: pytest.MonkeyPatch, session: type[HonestSession], status: int
) -> None:
    assert run(monkeypatch, session, "reuse", "qpl") == status


def test_every_case_is_a_line(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    run(monkeypatch, HonestSession, "reuse", "qpl")

    cases = [json.loads(line)["case"] for line in capfd.readouterr().out.splitlines()]
    assert cases[0] == "compressing after a compression"
    assert len(cases) == 15


def test_a_long_run_is_as_long_as_asked(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    run(monkeypatch, HonestSession, "endurance", "qpl", "--calls", "200")

    assert json.loads(capfd.readouterr().out.splitlines()[0])["case"] == "200 times: a page there and back"


def test_only_vendor_libraries_are_put_to_scrutiny(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match=r"^2$"):
        run(monkeypatch, HonestSession, "sizes", "zlib")
