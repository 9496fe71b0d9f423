"""What counts prove: by the device first, by the library of a peer of ours else, and for each end by itself."""

from __future__ import annotations

from typing import Any

import pytest

from multifd.evidence.asked import NOTHING, Asked, Part
from multifd.evidence.reading import Unknown
from multifd.evidence.ruling import End, Seen, rule
from multifd.peer import contract
from multifd.result.record import DeviceVerdict, DeviceWork, Role

CLOSED = Unknown("4xxx: Permission denied: it needs root")
NOISE = "the device was not idle"
CROWD = "no lock can be had"


def told(counted: int, unit: str = "jobs") -> contract.Told:
    return contract.Told(source="the library's own", unit=unit, before=100, after=100 + counted)  # type: ignore[arg-type]


def done(**said: Any) -> contract.Done:
    return contract.Done(id=1, provenance="hardware", **said)


def end(asked: Asked, role: Role = "sender", said: contract.Done | None = None, **how: Any) -> End:
    return End(role, "QAT", Part(asked, said), **how)


def seen(counted: int | Unknown, **why: str) -> Seen:
    return Seen(counted, "the firmware's", **why)


def alone(
    asked: Asked, counted: int | Unknown, said: contract.Done | None = None, silence: DeviceVerdict = "unverified",
    *, noise: str = "", crowd: str = "", **how: Any,
) -> DeviceWork:  # fmt: skip
    """The verdict on an end that has the device to itself."""
    (work,) = rule([end(asked, said=said, **how)], seen(counted, noise=noise, crowd=crowd), silence)
    return work


def both(
    sender: Asked, receiver: Asked, counted: int, sent: contract.Done | None = None,
    received: contract.Done | None = None, silence: DeviceVerdict = "unverified",
) -> tuple[DeviceWork, DeviceWork]:  # fmt: skip
    """The verdicts on two ends of one device."""
    ends = [end(sender, "sender", sent), end(receiver, "receiver", received)]
    first, second = rule(ends, seen(counted), silence)
    return first, second


@pytest.mark.parametrize(
    ("asked", "counted", "verdict"),
    [
        pytest.param(Asked(12, 12), 11, "unproven", id="one fell back"),
        pytest.param(Asked(12, 12), 12, "proven", id="exactly"),
        pytest.param(Asked(12, 12), 13, "disturbed", id="one more"),
        pytest.param(Asked(12, 15), 12, "proven", id="the least"),
        pytest.param(Asked(12, 15), 15, "proven", id="the most"),
        pytest.param(Asked(12, 15), 16, "disturbed", id="more than the most"),
        pytest.param(Asked(12), 0, "unproven", id="nothing"),
        pytest.param(Asked(12), 12, "proven", id="no limit, the least"),
        pytest.param(Asked(12), 1000, "proven", id="no limit"),
    ],
)
def test_hardware_is_proven_by_a_count_between_the_least_and_the_most(
    asked: Asked, counted: int, verdict: DeviceVerdict
) -> None:
    assert alone(asked, counted).verdict == verdict


def test_the_record_has_the_numbers_and_who_counted() -> None:
    assert alone(Asked(12, 15), 13, done(busy=2, faults=1)) == DeviceWork(
        end="sender", device="QAT", asked=12, most=18, counted=13, source="the firmware's", verdict="proven",
        witness="device", busy=2, faults=1,
    )  # fmt: skip


def test_more_than_the_most_says_so() -> None:
    work = alone(Asked(12, 15), 16)

    assert (work.counted, work.witness) == (16, "none")
    assert work.why == "it counted 16, more than can have been asked of it: somebody else used it"


@pytest.mark.parametrize(
    ("said", "asked", "why"),
    [
        (done(), Asked(0, 0, software="the member is larger than hw_buff_sz"), "the member is larger than hw_buff_sz"),
        (done(software=7), Asked(0, 0, software="by design"), "by design"),
        (None, Asked(0, 3, software="by design"), "by design"),
    ],
)
def test_what_the_rules_give_to_software_fell_back(said: contract.Done | None, asked: Asked, why: str) -> None:
    work = alone(asked, 0, said)

    assert (work.verdict, work.why, work.counted) == ("fell-back", why, 0)


@pytest.mark.parametrize("counted", [0, CLOSED])
def test_of_which_nothing_is_asked_nothing_is_claimed(counted: int | Unknown) -> None:
    assert alone(Asked(0, 0), counted).verdict == "not claimed"
    assert alone(Asked(), 7).verdict == "not claimed"


def test_a_fallback_of_which_nothing_can_be_read_is_as_predicted() -> None:
    work = alone(Asked(0, 0, software="by design"), CLOSED)

    assert (work.verdict, work.witness, work.counted) == ("fell-back", "none", None)


def test_a_device_that_works_though_all_goes_to_software_is_disturbed() -> None:
    work = alone(Asked(0, 0, software="by design"), 1)

    assert work.verdict == "disturbed"
    assert work.why == ("by design; but it counted 1, more than can have been asked of it: somebody else used it")


@pytest.mark.parametrize(("counted", "verdict"), [(0, "fell-back"), (5, "disturbed")])
def test_unless_the_library_says_that_it_gave_the_device_nothing(counted: int, verdict: DeviceVerdict) -> None:
    said = done(library=told(counted, "bytes"))

    assert alone(Asked(0, 0, software="by design"), 1, said).verdict == verdict


def test_a_fallback_has_no_limit_where_the_rules_set_none() -> None:
    assert alone(Asked(0, software="by design"), 9).verdict == "fell-back"


def test_what_goes_to_software_in_part_is_told_beside_the_proof() -> None:
    work = alone(Asked(3, 3, software="2 packets are below the threshold"), 3, done(software=2))

    assert (work.verdict, work.why) == ("proven", "2 packets are below the threshold")


# What the library says.


@pytest.mark.parametrize(("counted", "verdict"), [(12, "proven"), (13, "proven"), (11, "unproven"), (0, "unproven")])
def test_where_nothing_can_be_read_the_librarys_own_count_decides(counted: int, verdict: DeviceVerdict) -> None:
    work = alone(Asked(12, 15), CLOSED, done(library=told(counted)))

    assert work == DeviceWork(
        end="sender", device="QAT", asked=12, most=15, counted=counted, source="the library's own", verdict=verdict,
        witness="library", why=CLOSED.why,
    )  # fmt: skip


@pytest.mark.parametrize(("counted", "verdict"), [(4096, "proven"), (4095, "unproven")])
def test_a_library_that_counts_bytes_is_held_to_the_bytes_of_the_jobs(counted: int, verdict: DeviceVerdict) -> None:
    work = alone(Asked(12, 15, read=4096), CLOSED, done(library=told(counted, "bytes")))

    assert (work.verdict, work.asked, work.most, work.counted, work.unit) == (verdict, 4096, None, counted, "bytes")


@pytest.mark.parametrize(
    ("asked", "said", "how"),
    [
        pytest.param(Asked(12), None, {}, id="says nothing"),
        pytest.param(Asked(12), done(), {}, id="its library counts nothing"),
        pytest.param(Asked(12), done(library=told(12, "bytes")), {}, id="nobody knows how many bytes that is"),
        pytest.param(Asked(12), done(library=told(-5)), {}, id="its library's count went backwards"),
        pytest.param(Asked(12), done(library=told(12)), {"ours": False}, id="not ours"),
    ],
)
@pytest.mark.parametrize("silence", ["unverified", "unproven"])
def test_of_what_nobody_counted_silence_is_what_is_left_and_why(
    asked: Asked, said: contract.Done | None, how: dict[str, Any], silence: DeviceVerdict
) -> None:
    work = alone(asked, CLOSED, said, silence, **how)

    assert (work.verdict, work.witness, work.counted, work.why) == (silence, "none", None, CLOSED.why)
    assert (work.asked, work.source) == (12, "the firmware's")


def test_the_device_decides_where_it_says_less_than_its_library() -> None:
    work = alone(Asked(12, 12), 11, done(library=told(12)))

    assert (work.verdict, work.witness, work.counted) == ("unproven", "device", 11)


def test_the_device_decides_where_it_says_exactly_what_was_asked() -> None:
    assert alone(Asked(12, 12), 12, done(library=told(11))).verdict == "proven"


def test_a_count_without_a_limit_does_not_outweigh_a_library_that_did_less() -> None:
    work = alone(Asked(12), 40, done(library=told(11)))

    assert (work.verdict, work.witness, work.counted, work.most) == ("unproven", "library", 11, None)


def test_a_count_without_a_limit_and_a_library_that_agrees_are_the_devices_proof() -> None:
    work = alone(Asked(12), 40, done(library=told(12)))

    assert (work.verdict, work.witness, work.counted) == ("proven", "device", 40)


# Somebody else.


@pytest.mark.parametrize(
    ("said", "verdict", "witness"),
    [
        (done(), "disturbed", "none"),
        (done(library=told(12)), "proven", "library"),
        (done(library=told(11)), "unproven", "library"),
    ],
)
@pytest.mark.parametrize(
    ("counted", "noise", "why"),
    [
        (99, "", "it counted 99, more than can have been asked of it: somebody else used it"),
        (12, NOISE, NOISE),
        (99, NOISE, "it counted 99, more than can have been asked of it: somebody else used it"),
    ],
)
def test_a_disturbed_device_says_nothing_but_its_library_counts_nobody_elses_jobs(
    said: contract.Done, verdict: DeviceVerdict, witness: str, counted: int, noise: str, why: str
) -> None:
    work = alone(Asked(12, 15), counted, said, noise=noise)

    assert (work.verdict, work.witness, work.why) == (verdict, witness, why)


def test_what_is_too_little_with_others_jobs_in_it_is_too_little() -> None:
    assert alone(Asked(12, 15), 11, noise=NOISE).verdict == "unproven"
    assert alone(Asked(12, 15), 11, crowd=CROWD).verdict == "unproven"


@pytest.mark.parametrize(
    ("said", "verdict"),
    [(done(), "unverified"), (done(library=told(12)), "proven"), (done(library=told(11)), "unproven")],
)
def test_a_device_that_is_not_held_alone_proves_nothing(said: contract.Done, verdict: DeviceVerdict) -> None:
    work = alone(Asked(12, 15), 12, said, crowd=CROWD)

    assert (work.verdict, work.why) == (verdict, CROWD)


def test_nor_where_the_profile_requires_it() -> None:
    assert alone(Asked(12, 15), 12, silence="unproven", crowd=CROWD).verdict == "unproven"


# Busy queues, faults, fallbacks.


@pytest.mark.parametrize(("counted", "verdict"), [(17, "proven"), (18, "disturbed")])
def test_jobs_that_were_made_again_may_be_counted_again(counted: int, verdict: DeviceVerdict) -> None:
    work = alone(Asked(12, 12), counted, done(busy=2, faults=3))

    assert (work.verdict, work.most, work.busy, work.faults) == (verdict, 17, 2, 3)


def test_what_a_stranger_says_of_them_widens_nothing() -> None:
    work = alone(Asked(12, 12), 13, done(busy=2, faults=3), ours=False)

    assert (work.verdict, work.most, work.busy, work.faults) == ("disturbed", 12, 2, 3)


@pytest.mark.parametrize(
    ("software", "busy", "counted", "verdict"),
    [
        pytest.param(1, 3, 11, "proven", id="one, after three"),
        pytest.param(1, 3, 10, "unproven", id="and one more is missing"),
        pytest.param(2, 6, 10, "proven", id="two, after six"),
        pytest.param(1, 2, 11, "unproven", id="one, though two were busy"),
        pytest.param(2, 5, 10, "unproven", id="two, though five were busy"),
        pytest.param(2, 5, 11, "unproven", id="one of two was busy, the other is a fallback"),
        pytest.param(0, 9, 11, "unproven", id="busy, but none in software"),
    ],
)
def test_a_call_goes_to_software_after_three_submissions_that_were_busy(
    software: int, busy: int, counted: int, verdict: DeviceVerdict
) -> None:
    assert alone(Asked(12, 12), counted, done(software=software, busy=busy)).verdict == verdict


def test_such_a_call_is_told() -> None:
    work = alone(Asked(12, 12), 11, done(software=1, busy=3))

    assert (work.asked, work.why) == (11, "1 of its calls in software, for the queues were busy 3 times")


@pytest.mark.parametrize(("counted", "verdict"), [(10, "proven"), (9, "unproven")])
def test_such_a_call_may_have_been_several_jobs(counted: int, verdict: DeviceVerdict) -> None:
    assert alone(Asked(12, 12), counted, done(software=1, busy=3), jobs=2).verdict == verdict


def test_who_was_busy_all_the_time_fell_back() -> None:
    work = alone(Asked(2, 2), 0, done(software=2, busy=6))

    assert (work.verdict, work.why) == ("fell-back", "2 of its calls in software, for the queues were busy 6 times")


def test_a_strangers_busy_queue_excuses_nothing() -> None:
    assert alone(Asked(12, 12), 11, done(software=1, busy=3), ours=False).verdict == "unproven"


@pytest.mark.parametrize("counted", [11, 12, CLOSED])
@pytest.mark.parametrize("ours", [True, False])
def test_a_library_that_says_it_fell_back_is_believed(counted: int | Unknown, ours: bool) -> None:
    work = alone(Asked(12), counted, done(software=1), ours=ours)

    assert work.verdict == "unproven"
    assert work.why.startswith("its library says that it computed 1 of its calls in software")


def test_even_against_its_own_count() -> None:
    work = alone(Asked(12), CLOSED, done(software=1, library=told(12)))

    assert work.verdict == "unproven"
    assert work.why == f"its library says that it computed 1 of its calls in software; {CLOSED.why}"


# Two ends of one device.


@pytest.mark.parametrize(
    ("counted", "verdicts"),
    [
        pytest.param(24, ("proven", "proven"), id="both"),
        pytest.param(25, ("disturbed", "disturbed"), id="more than both"),
        pytest.param(23, ("unproven", "unproven"), id="one is missing, of either"),
        pytest.param(12, ("unproven", "unproven"), id="one did nothing"),
    ],
)
def test_one_ends_jobs_do_not_pay_for_the_others(counted: int, verdicts: tuple[str, str]) -> None:
    work = both(Asked(12, 12), Asked(12, 12), counted)

    assert (work[0].verdict, work[1].verdict) == verdicts


def test_a_receiver_that_did_nothing_is_not_proven_by_a_sender_that_can_have_done_all() -> None:
    sender, receiver = both(Asked(12, 24), Asked(12, 12), 24)

    assert (sender.verdict, sender.counted) == ("proven", 12)
    assert (receiver.verdict, receiver.counted) == ("unverified", 0)
    assert receiver.why == "the other end may have done up to 24 of the jobs that were counted"


def test_numbers_stand_for_each_end() -> None:
    sender, receiver = both(Asked(12, 12), Asked(7, 7), 19)

    assert (sender.end, sender.asked, sender.counted) == ("sender", 12, 12)
    assert (receiver.end, receiver.asked, receiver.counted) == ("receiver", 7, 7)
    assert sender.source == "the firmware's, less the 7 that the other end can have done"
    assert receiver.source == "the firmware's, less the 12 that the other end can have done"


def test_what_is_missing_is_missing_of_both_together() -> None:
    sender, receiver = both(Asked(12, 12), Asked(7, 7), 18)

    for work in (sender, receiver):
        assert (work.verdict, work.counted) == ("unproven", 18)
        assert work.source == "the firmware's, of both ends together"
        assert work.why == "both ends together asked for at least 19"


def test_an_end_without_a_limit_leaves_the_other_to_its_library() -> None:
    sender, receiver = both(Asked(12), Asked(12, 12), 24, received=done(library=told(12)))

    assert (sender.verdict, sender.witness) == ("proven", "device")
    assert (receiver.verdict, receiver.witness) == ("proven", "library")
    assert receiver.why == "the other end may have done any number of the jobs that were counted"


@pytest.mark.parametrize("silence", ["unverified", "unproven"])
def test_two_ends_without_a_limit_prove_nothing_without_their_libraries(silence: DeviceVerdict) -> None:
    work = both(Asked(12), Asked(12), 24, silence=silence)

    for each in work:
        assert (each.verdict, each.counted) == (silence, 24)
        assert each.source == "the firmware's, of both ends together"


def test_of_two_of_which_one_is_lacking_a_library_tells_which() -> None:
    sender, receiver = both(Asked(12, 12), Asked(12, 12), 12, done(library=told(12)), done(library=told(0)))

    assert (sender.verdict, sender.witness) == ("proven", "library")
    assert sender.why == "both ends together asked for at least 24, and 12 were counted: the other end lacks them"
    assert (receiver.verdict, receiver.witness) == ("unproven", "device")


@pytest.mark.parametrize(
    ("counted", "received"), [(12, done(library=told(12))), (11, done(library=told(0)))], ids=["both", "too few"]
)
def test_but_no_library_is_believed_against_the_device(counted: int, received: contract.Done) -> None:
    work = both(Asked(12, 12), Asked(12, 12), counted, done(library=told(12)), received)

    assert [each.verdict for each in work] == ["unproven", "unproven"]


def test_an_end_that_fell_back_leaves_the_device_to_the_other() -> None:
    sender, receiver = both(Asked(12, 12), Asked(0, 0, software="by design"), 12)

    assert (sender.verdict, sender.counted) == ("proven", 12)
    assert (receiver.verdict, receiver.counted) == ("fell-back", 0)


def test_and_what_is_missing_then_is_the_others_alone() -> None:
    sender, receiver = both(Asked(12, 12), Asked(0, 0, software="by design"), 11, done(library=told(12)))

    assert (sender.verdict, sender.why) == ("unproven", "")
    assert receiver.verdict == "fell-back"


def test_a_receiver_that_refused_what_its_device_never_sees_costs_the_sender_no_proof() -> None:
    sender, receiver = both(Asked(12, 12), NOTHING, 12)

    assert (sender.verdict, receiver.verdict) == ("proven", "not claimed")


def test_an_end_of_which_nobody_knows_what_it_did_proves_nothing_for_the_other() -> None:
    sender, _ = both(Asked(12, 12), Asked(), 12)

    assert sender.verdict == "unverified"


# A real QEMU, which claims nothing.


@pytest.mark.parametrize(
    ("counted", "verdict", "why"),
    [
        (12, "proven", ""),
        (11, "not claimed", "nothing shows that it ran on the device"),
        (16, "unverified", "it counted 16, more than can have been asked of it: somebody else used it"),
        (CLOSED, "unverified", CLOSED.why),
    ],
)
def test_a_qemu_is_found_on_hardware_or_not(counted: int | Unknown, verdict: str, why: str) -> None:
    work = alone(Asked(12, 15), counted, silence="unproven", ours=False, claims=False)

    assert (work.verdict, work.why, work.asked, work.most) == (verdict, why, 12, 15)
    assert (work.busy, work.faults) == (0, 0)


def test_a_qemu_and_a_peer_of_ours_share_a_device_as_any_two_ends_do() -> None:
    ends = [
        End("sender", "QAT", Part(Asked(12, 12)), ours=False, claims=False),
        End("receiver", "QAT", Part(Asked(12, 12), done())),
    ]

    assert [work.verdict for work in rule(ends, seen(24), "unverified")] == ["proven", "proven"]
    assert [work.verdict for work in rule(ends, seen(12), "unverified")] == ["not claimed", "unproven"]
