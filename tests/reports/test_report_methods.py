"""The matrix of methods: releases only, plain migrations only, versions that ended alike together."""

from __future__ import annotations

from multifd.framing.model import METHOD_FRAMINGS
from multifd.plan.reference import reference
from multifd.result.record import Cell
from multifd.wire.dialect import DIALECTS
from reports import vocabulary
from reports.methods import Methods, methods
from tests.reports.builder import cell, results


def plain(framing: str, dialect: str, **changes: object) -> Cell:
    """A plain migration of that framing and dialect, by the codecs that QEMU has for it."""
    sent, _, received = framing.partition(">")
    ends = {"sender": reference(sent), "receiver": reference(received or sent)}
    return cell(framing=framing, dialect=dialect, scenario="capture", **{**ends, **changes})


def refused(framing: str, dialect: str) -> Cell:
    """One that is refused as predicted."""
    return plain(framing, dialect, predicted="rejected", observed="rejected", verdict="refused")


def made(*cells: Cell) -> Methods:
    """The matrix of these cells."""
    found = methods(results(*cells))
    assert found is not None
    return found


def heads(found: Methods) -> tuple[list[str], list[str]]:
    """What its rows and its columns are called."""
    rows, columns = ([f"{side.method} {side.versions}" for side in sides] for sides in (found.rows, found.columns))
    return rows, columns


def test_the_released_methods_are_those_of_the_framings() -> None:
    assert vocabulary.RELEASED == METHOD_FRAMINGS


def test_versions_are_those_of_the_dialects() -> None:
    assert {
        name: vocabulary.versions(name).replace("–", "-") for name in DIALECTS if name != vocabulary.PROPOSED_DIALECT
    } == {name: dialect.versions for name, dialect in DIALECTS.items() if name != vocabulary.PROPOSED_DIALECT}
    assert tuple(vocabulary.DIALECTS) == tuple(DIALECTS)


def test_rows_are_senders_and_columns_are_receivers() -> None:
    found = made(refused("zlib>zstd", "qemu-5.0>qemu-10.0"))

    assert heads(found) == (["zlib 5.0–8.2"], ["zstd 10.0–11.1"])


def test_a_place_shows_the_worst_and_how_many_are_like_it() -> None:
    bad = plain("zlib", "qemu-9.0", id="bad", predicted="hazard", observed="hazard", verdict="hazard")

    [[place]] = made(plain("zlib", "qemu-9.0", id="a"), bad, plain("zlib", "qemu-9.0", id="b")).places

    assert place is not None
    assert (place.worst.id, place.alike, place.ran) == ("bad", 1, 3)


def test_what_another_library_makes_of_a_method_is_no_method() -> None:
    other = refused("zlib", "qemu-9.0").model_copy(update={"id": "other", "receiver": "libdeflate"})

    [[place]] = made(plain("zlib", "qemu-9.0"), other).places

    assert place is not None
    assert (place.worst.verdict, place.ran) == ("pass", 1)


def test_of_two_methods_it_does_not_matter_who_would_decode() -> None:
    assert made(refused("qpl>zlib", "qemu-10.0").model_copy(update={"receiver": "qpl"})).places


def test_a_real_qemu_does_any_method() -> None:
    qemu = plain("zlib", "qemu-10.0", sender="qemu-10.2", receiver="qemu-10.2", suite="qemu")

    assert heads(made(qemu)) == (["zlib 10.0–11.1"], ["zlib 10.0–11.1"])


def test_what_was_not_run_hides_nothing_that_was() -> None:
    left = plain("zlib", "qemu-9.0", id="left", observed="not-run", verdict="not-run")

    [[place]] = made(plain("zlib", "qemu-9.0", id="ran"), left).places

    assert place is not None
    assert (place.worst.id, place.alike, place.ran) == ("ran", 1, 1)


def test_versions_that_ended_alike_stand_together() -> None:
    cells = [
        *(plain("zlib", d) for d in ("qemu-5.0", "qemu-9.0", "qemu-9.1")),
        *(refused("zstd>zlib", f"{old}>{new}") for old in ("qemu-9.0", "qemu-9.1") for new in ("qemu-5.0", "qemu-9.1")),
    ]

    assert heads(made(*cells)) == (["zlib 5.0–9.1", "zstd 9.0–9.1"], ["zlib 5.0–9.1"])


def test_versions_that_did_not_stand_apart() -> None:
    cells = [plain("zlib", "qemu-5.0>qemu-10.0"), refused("zlib", "qemu-9.0>qemu-10.0"), plain("zlib", "qemu-10.0")]

    assert heads(made(*cells)) == (["zlib 5.0–8.2", "zlib 9.0", "zlib 10.0–11.1"], ["zlib 10.0–11.1"])


def test_a_row_that_was_not_tried_somewhere_does_not_join_two_that_differ() -> None:
    cells = [
        plain("zlib>none", "qemu-5.0>qemu-9.0"),
        plain("zlib>zstd", "qemu-9.0"),
        refused("zlib>none", "qemu-9.1>qemu-9.0"),
    ]

    assert [side.dialects for side in made(*cells).rows] == [("qemu-5.0", "qemu-9.0"), ("qemu-9.1",)]


def test_proposals_faults_and_the_dialect_of_no_release_are_left_out() -> None:
    run = results(
        plain("zlib-page[window=12]", "qemu-9.0"),
        plain("none>raw-packet", "qemu-9.0"),
        plain("qatzip", "rfc-2023>qemu-10.0"),
        cell(framing="zlib", scenario="fault-magic"),
    )

    assert methods(run) is None
