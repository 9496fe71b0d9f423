"""What real QEMUs said of each fault, played to them: each is expected, and nothing that it might have said instead."""

from __future__ import annotations

import re
from typing import Final

import pytest

from multifd.framing.model import framing
from multifd.oracle.predict import predict
from multifd.oracle.qemu import decoder_of, encoder_of
from multifd.oracle.question import Question, Side
from multifd.wire.dialect import ZeroPages, dialect
from multifd.wire.fault import FAULTS, OF_QEMU

INIT: Final = "failed to receive packet via multifd channel 1: "
RAM: Final = "Getting RAM address failed; error while loading state for instance 0x0 of device 'ram'; "
UUIDS: Final = (
    "multifd: received uuid '00000000-0000-0000-0000-000000000001' and expected uuid"
    " '00000000-0000-0000-0000-000000000000' for channel 1"
)
SAID: Final[dict[str, dict[str, str]]] = {
    "10.0": {
        "init-magic": f"{INIT}multifd: received packet magic 11223345 expected 11223344",
        "init-version": f"{INIT}multifd: received packet version 2 expected 1",
        "init-uuid": f"{INIT}{UUIDS}",
        "init-id": f"{INIT}multifd: received channel id 200 is greater than number of channels 2",
        "init-id-twice": "multifd: received id '0' already setup'",
        "magic": f"{RAM}multifd: received packet magic 11223345, expected 11223344",
        "version": f"{RAM}multifd: received packet version 2, expected 1",
        "flags-unknown-method": f"{RAM}multifd 1: flags received 6 flags expected 2",
        "flags-all": f"{RAM}multifd 1: flags received 3e flags expected 2",
        "pages-alloc": f"{RAM}multifd: received packet with 129 pages, expected 128",
        "normal-pages": f"{RAM}multifd: received packet with 129 non-zero pages,"
        " which exceeds maximum expected pages 128",
        "packet-size": f"{RAM}multifd 1: next_packet_size 3145728 exceeds allocated 1048576",
        "ramblock": f"{RAM}multifd: unknown ram block X",
        "offset": f"{RAM}multifd: offset too long 1099511627776 (max 400000)",
    },
    "11.1": {
        "init-magic": "unknown channel magic: 287454021",
        "init-id": f"{INIT}multifd: received channel id 200 exceeds channel count 2",
        "packet-size": "Getting RAM address failed; multifd 1: next_packet_size 3145728 exceeds allocated 1048576",
    },
    "7.2": dict.fromkeys(
        ("magic", "version", "flags-unknown-method", "flags-all", "pages-alloc", "normal-pages", "ramblock", "offset"),
        "check_section_footer: Read section footer failed: -5; load of migration failed: Invalid argument",
    ),
}
"""By version (7.2.22; 10.0.2, of packet-size and zero-with-size 10.0.13; 11.1.3 where it differs) and fault. 7.2 hangs
where it says nothing: at a wrong init packet, and at a payload that does not come."""

FURTHER: Final[dict[str, str]] = {
    "ramblock-other": f"{RAM}multifd: offset too long 2097152 (max 20000)",
    "normal-one-more": f"{RAM}multifd: received packet with 129 non-zero pages,"
    " which exceeds maximum expected pages 128",
    "normal-one-less": f"{RAM}multifd 1: inflate returned -3 instead of Z_OK",
    "zero-pages": f"{RAM}multifd: received packet with 129 zero pages, expected maximum 0",
    "zero-with-size": f"{RAM}multifd 1: expected empty packet",
    "size-zero": f"{RAM}multifd 1: inflate returned -5 instead of Z_OK",
    "bit-first": f"{RAM}multifd 1: inflate returned -3 instead of Z_OK",
    "payload-cut": f"{RAM}multifd 1: inflate generated too few output",
    "payload-garbage": f"{RAM}multifd 1: inflate returned -3 instead of Z_OK",
    "flags-device-state": f"{RAM}multifd: received empty device state packet",
    "device-state": f"{RAM}Unknown idstr vfio or instance id 0 for load state buffer",
    "device-state-huge": f"{RAM}Unexpected end-of-file before all data were read",
}
"""Of 10.0.13, of faults that share words with others: of what is wrong with a payload inflate has few."""

SPOKEN: Final = {"7.2": "qemu-5.0", "10.0": "qemu-10.0", "11.1": "qemu-10.0"}


def asked(fault: str, spoken: str) -> Question:
    """What is asked of a recording with this fault, played to the QEMU that made it."""
    side = Side("qemu", framing("zlib"), dialect(spoken), qemu=True)
    return Question(
        sender=side,
        receiver=side,
        encoder=encoder_of(["zlib"]),
        decoder=decoder_of(["zlib"]),
        page_size=4096,
        zero_pages=ZeroPages.MAIN,
        becomes_zero=False,
        fault=FAULTS[fault],
        channels=(2, 2),
        goes_on=True,
        looks_late=False,
        recording=OF_QEMU,
    )


@pytest.mark.parametrize(("version", "fault"), [(version, fault) for version, said in SAID.items() for fault in said])
def test_what_a_version_said_is_expected_of_its_dialect(version: str, fault: str) -> None:
    predicted = predict(asked(fault, SPOKEN[version]))

    assert predicted.outcome == "rejected"
    assert re.search(predicted.error or "", SAID[version][fault])


@pytest.mark.parametrize("fault", FURTHER)
def test_what_10_0_said_of_others_is_expected_too(fault: str) -> None:
    assert re.search(predict(asked(fault, "qemu-10.0")).error or "nothing", FURTHER[fault])


@pytest.mark.parametrize("version", ["10.0", "11.1"])
@pytest.mark.parametrize("fault", SAID["10.0"])
def test_what_it_said_of_another_fault_is_not(fault: str, version: str) -> None:
    expected = predict(asked(fault, SPOKEN[version])).error or ""

    others = [said for other, said in SAID[version].items() if other != fault]

    assert not [said for said in others if re.search(expected, said)]


@pytest.mark.parametrize("fault", SAID["10.0"])
def test_only_three_faults_have_more_than_one_wording_in_a_dialect(fault: str) -> None:
    expected = predict(asked(fault, "qemu-10.0")).error or ""

    assert ("|" in expected) is (fault in SAID["11.1"])


@pytest.mark.parametrize("spoken", ["qemu-5.0", "qemu-10.0"])
def test_what_nobody_looks_at_arrives(spoken: str) -> None:
    assert predict(asked("flags-ignored-bit", spoken)).outcome == "identical"
