"""What cells say of a claim: shown, contradicted, not on hardware, or nothing, and why."""

from __future__ import annotations

import pytest

from multifd.result.claims import Seen, judged, priced, tried
from multifd.result.questions import Inability, Price
from multifd.result.record import Cell, Sides, Unable, Verdict
from tests.reports.builder import peer
from tests.result.thread import claim, ran, seen

AGREES = ran("qatzip", "zlib", "zlib-packet")
HARDWARE = Sides(sender="hardware", receiver="software")
INABILITY = Inability(shows="QAT cannot send zlib", peers=("qatzip", "qatzip[*"), role="sender", framings=("zlib",))
UNABLE = Unable(framing="zlib", peer="qatzip", role="sender", reason="it cannot keep a stream open", tried=True)
PRICE = Price(shows="pages cost more", framings=("page", "packet"), dearer="page", cheaper="packet")


# Cells


def test_cells_that_agree_show_it_with_provenance_and_an_example() -> None:
    found = judged(claim(), seen(AGREES))

    assert (found.state, found.count, found.cells) == ("shown", 1, (AGREES.id,))
    assert found.provenance == ("vendor-software", "software")
    assert found.reproduce == AGREES.reproduce


@pytest.mark.parametrize("verdict", ["refused", "hazard", "known", "fail"])
def test_a_cell_that_ended_otherwise_contradicts(verdict: Verdict) -> None:
    edited = AGREES.model_copy(update={"id": "wire/edited", "verdict": verdict, "error": "no"})

    found = judged(claim(), seen(AGREES, edited))

    assert found.state == "contradicted"
    assert found.because == f"wire/edited: expected pass, seen {verdict}, 'no'"
    assert found.cells == ("wire/edited",)


def test_a_failure_is_named_by_its_kind() -> None:
    found = judged(claim(), seen(AGREES.model_copy(update={"verdict": "fail", "kind": "corrupt"})))

    assert found.because.endswith("expected pass, seen corrupt")


@pytest.mark.parametrize("verdict", ["skip", "error", "not-run"])
def test_a_cell_that_was_not_checked_says_nothing_but_why(verdict: Verdict) -> None:
    silent = AGREES.model_copy(update={"verdict": verdict, "reason": "no library; remedy: fetch it"})

    found = judged(claim(), seen(silent))

    assert (found.state, found.because) == ("not shown", f"{silent.id}: no library; remedy: fetch it")


def test_a_refusal_must_be_for_the_cause_that_is_claimed() -> None:
    refused = ran("qatzip", "zlib", "zlib-packet", "refused", error="zlib: invalid window size")

    def state(error: str) -> str:
        return judged(claim(verdict="refused", error=error), seen(refused)).state

    assert (state("window"), state("header")) == ("shown", "contradicted")


def test_fewer_pairings_than_it_takes_do_not_show_it_in_however_many_cells() -> None:
    found = judged(claim(at_least=2), seen(AGREES, AGREES.model_copy(update={"id": "wire/again"})))

    assert found.state == "not shown"
    assert "remedy: the whole of it, python3 bootstrap.py conformance" in found.because


def test_what_content_decides_must_happen_at_least_once() -> None:
    either = claim(verdict=["refused", "pass"], sometimes="refused")
    refused = ran("qatzip", "zlib", "zlib-packet", "refused")

    assert judged(either, seen(AGREES)).state == "not shown"
    assert judged(either, seen(AGREES, refused)).state == "shown"


@pytest.mark.parametrize(
    ("sender", "remedy"),
    [
        ("qpl[stream=1]", "multifd vendor fetch"),
        ("qatzip[stream=1]", "multifd vendor fetch"),
        ("qemu-*", "--qemu found"),
        ("iaa-emulated[stream=1]", "--hwprofile auto"),
    ],
)
def test_who_did_not_take_part_is_named_with_the_remedy(sender: str, remedy: str) -> None:
    found = judged(claim(cells={"sender": sender}), seen(AGREES))

    assert found.state == "not shown"
    assert found.because.startswith(f"no {sender} took part; remedy: ")
    assert remedy in found.because


def test_a_peer_that_was_only_declared_did_not_take_part() -> None:
    declared = peer("qatzip", "vendor-software").model_copy(update={"roles": ()})

    assert "no qatzip took part" in judged(claim(), Seen((), (declared,))).because


# Hardware


def test_what_only_silicon_can_show_is_not_shown_by_an_emulation() -> None:
    found = judged(claim(hardware="sender"), seen(AGREES))

    assert found.state == "not on hardware"
    assert found.because.startswith("not on hardware in this run: vendor-software")


def test_silicon_shows_it() -> None:
    on_device = AGREES.model_copy(update={"provenance": HARDWARE})

    assert judged(claim(hardware="sender"), seen(on_device)).state == "shown"
    assert judged(claim(hardware="receiver"), seen(on_device)).state == "not on hardware"


def test_an_emulation_that_says_otherwise_contradicts_what_is_claimed_of_silicon() -> None:
    assert judged(claim(hardware="sender"), seen(ran("qatzip", "zlib", "zlib-packet", "refused"))).state == (
        "contradicted"
    )


# What cannot be done


def test_what_the_probe_has_tried_shows_that_it_cannot_be_done() -> None:
    found = tried(INABILITY, seen(unable=(UNABLE,)))

    assert (found.state, found.count, found.provenance) == ("shown", 1, ("vendor-software",))
    assert found.because == "qatzip: it cannot keep a stream open"


def test_a_cell_that_did_not_pass_denies_nothing() -> None:
    found = tried(INABILITY, seen(ran("qatzip", "zlib", "zlib", "refused"), unable=(UNABLE,)))

    assert found.state == "shown"


def test_what_was_declared_and_not_tried_shows_nothing() -> None:
    assert tried(INABILITY, seen(unable=(UNABLE.model_copy(update={"tried": False}),))).state == "not shown"


def test_a_cell_in_which_it_is_done_contradicts() -> None:
    done = ran("qatzip[level=9]", "zlib", "zlib")

    found = tried(INABILITY, seen(done, unable=(UNABLE,)))

    assert found.state == "contradicted"
    assert found.because.startswith(f"{done.id}: expected qatzip and qatzip[* unable to be sender of zlib, seen pass")


# What it costs


def test_a_price_is_stated_of_one_content() -> None:
    cells = (*sent("zlib", page=300, packet=200), *sent("zlib", page=5, packet=500, corpus="zero")[:1])

    found = priced(PRICE, seen(*cells))

    assert (found.state, found.count) == ("shown", 2)
    assert found.because == "content text: page: ratio 0.300; packet: ratio 0.200"


def test_cpu_is_stated_where_encoders_are_named() -> None:
    price = Price(shows="it costs", framings=("page",), senders=("zlib",))
    cell = sent("zlib", page=1 << 30)[0].model_copy(update={"bytes_memory": 1 << 30, "receiver": "zlib"})
    cell = cell.model_copy(update={"cpu_seconds": cell.cpu_seconds.model_copy(update={"sender": 2.0, "receiver": 1.0})})

    assert priced(price, seen(cell)).because == (
        "content text: page: ratio 1.000, sender 2.0 CPU s/GiB, receiver 1.0 CPU s/GiB"
    )


def test_an_order_that_one_encoder_does_not_keep_contradicts() -> None:
    found = priced(PRICE, seen(*sent("zlib", page=300, packet=200), *sent("qpl", page=200, packet=300)))

    assert found.state == "contradicted"
    assert "expected page to cost qpl more bytes than packet, seen 0.200 and 0.300" in found.because


def test_an_order_of_which_no_encoder_has_both_ends_is_not_shown() -> None:
    found = priced(PRICE, seen(*sent("zlib", page=300), *sent("qpl", packet=200)))

    assert found.state == "not shown"
    assert found.because.startswith("no page and no packet with the content of the others in this run; remedy: ")


def test_an_encoder_that_lacks_one_of_both_is_not_compared_and_not_stated() -> None:
    found = priced(PRICE, seen(*sent("zlib", page=300, packet=200), *sent("qpl", page=900)))

    assert found.because == "content text: page: ratio 0.300; packet: ratio 0.200"


def test_a_price_of_which_a_framing_is_not_in_the_run_is_not_shown() -> None:
    price = Price(shows="they cost", framings=("page", "packet"))

    found = priced(price, seen(*sent("zlib", page=300)))

    assert (found.state, found.because.partition(" in this run")[0]) == (
        "not shown",
        "no packet with the content of the others",
    )


def sent(sender: str, corpus: str = "text", **framings: int) -> list[Cell]:
    """Cells of a sender: bytes on the wire by framing, for 1000 bytes of memory."""
    return [
        ran(sender, "zlib", name, bytes_wire=wire, bytes_memory=1000, corpus=corpus) for name, wire in framings.items()
    ]
