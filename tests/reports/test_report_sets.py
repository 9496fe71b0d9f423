"""Advice in a page: who may set what, from whom to whom."""

from __future__ import annotations

from multifd.advice.lines import Direction, Fleet, Line
from multifd.result.record import Setting
from reports.sets import sets

OLD = Fleet(name="QEMU 7.2.22", versions="7.2.22")
NEW = Fleet(name="QEMU 10.0.2", versions="10.0.2")


def line(method: str, verdict: str = "safe", **changes: object) -> Line:
    """A line of advice."""
    return Line.model_validate({"method": method, "verdict": verdict, "why": "so", "rests_on": "run", **changes})


def test_each_direction_has_its_place_and_what_nobody_knows_has_none() -> None:
    found = sets([Direction(sender=OLD, receiver=NEW, lines=(line("zstd"),))])

    assert found is not None
    assert [fleet.name for fleet in found.receivers] == ["QEMU 7.2.22", "QEMU 10.0.2"]
    [row] = found.rows
    assert row.sender == OLD
    assert [to is not None and to.safe for to in row.directions] == [False, ("zstd",)]


def test_there_and_back_are_two_places() -> None:
    found = sets(
        [Direction(sender=OLD, receiver=NEW, lines=()), Direction(sender=NEW, receiver=OLD, lines=())]
    )  # fmt: skip

    assert found is not None
    assert [[to.anchor if to else "" for to in row.directions] for row in found.rows] == [
        ["", "set-0-1"],
        ["set-1-0", ""],
    ]


def test_only_what_a_release_does_at_its_defaults_is_offered() -> None:
    told = Setting(name="zero-page-detection", value="legacy")
    lines = (line("zlib"), line("none", setting=told), line("zstd", library="libqatzip"))

    found = sets([Direction(sender=OLD, receiver=NEW, lines=lines)])

    assert found is not None and found.rows[0].directions[1] is not None
    assert found.rows[0].directions[1].safe == ("zlib",)


def test_hazards_stand_with_the_setting_behind_them() -> None:
    told = Setting(name="zero-page-detection", value="multifd")
    lines = (
        line("none", "hazard", setting=told),
        line("zlib", "hazard", setting=told),
        line("uadk", "hazard"),
        line("different methods", "hazard"),
        line("different numbers of channels", "hazard"),
    )

    found = sets([Direction(sender=NEW, receiver=OLD, lines=lines)])

    assert found is not None and found.rows[0].directions[1] is not None
    assert found.rows[0].directions[1].hazards == ("none, zlib with zero-page-detection=multifd", "uadk")


def test_what_loses_memory_whatever_the_method_is_a_hazard_too() -> None:
    told = Setting(name="zero-page-detection", value="multifd", default="legacy")
    qatzip = Setting(name="multifd-compression", value="qatzip", default="none")
    lines = (line("any method", "hazard", setting=told), line("qatzip>none", "hazard", setting=qatzip))

    found = sets([Direction(sender=NEW, receiver=OLD, lines=lines)])

    assert found is not None and found.rows[0].directions[1] is not None
    assert found.rows[0].directions[1].hazards == ("any method with zero-page-detection=multifd", "qatzip → none")


def test_without_advice_there_is_no_table() -> None:
    assert sets([]) is None
