"""What is advised for hosts of which only the version and the accelerators are known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from multifd.advice.lines import ANY, CHANNELS, UNLIKE, Direction, Line
from multifd.advice.of_oracle import direction
from multifd.advice.whom import alike, host


def advised(sender: str, receiver: str) -> Direction:
    one, other = host(sender, "--from"), host(receiver, "--to")
    return direction(alike(one, other), alike(other, one))


def line(advice: Direction, method: str, verdict: str, *, released: bool = True) -> Line:
    [found] = [
        each for each in advice.lines if (each.method, each.verdict, each.released) == (method, verdict, released)
    ]
    return found


def safe(advice: Direction) -> list[str]:
    return [each.method for each in advice.safe]


# A fleet of 7.2, and hosts with QAT


@pytest.mark.parametrize("ends", [("qemu-7.2", "qemu-10.0+icx-c62x"), ("qemu-10.0+icx-c62x", "qemu-7.2")])
def test_a_host_with_qat_and_one_of_7_2_migrate_by_what_both_have_there_and_back(ends: tuple[str, str]) -> None:
    advice = advised(*ends)

    assert safe(advice) == ["none", "zstd", "zlib"]
    assert advice.sender.machine == "pc-i440fx-7.2"


@pytest.mark.parametrize("ends", [("qemu-7.2", "qemu-10.0+icx-c62x"), ("qemu-10.0+icx-c62x", "qemu-7.2")])
def test_qatzip_is_refused_by_a_qemu_that_is_too_old_for_it(ends: tuple[str, str]) -> None:
    refused = line(advised(*ends), "qatzip", "refused")

    assert refused.why == "QEMU 7.2 is too old for it: 9.2 was the first with it"
    assert refused.words == "Parameter 'multifd-compression' does not accept value 'qatzip'"


def test_qats_library_could_read_and_write_todays_zlib_and_no_qemu_has_it_do_so() -> None:
    there = line(advised("qemu-7.2", "qemu-10.0+icx-c62x"), "zlib", "safe", released=False)
    back = line(advised("qemu-10.0+icx-c62x", "qemu-7.2"), "zlib", "safe", released=False)

    end = "through its calls for streams; QEMU does not call it under zlib"
    assert (there.at, there.why) == ("receiver", f"libqatzip could read it on the CPU, {end}")
    assert (back.at, back.why) == ("sender", f"libqatzip could write it on QAT, {end}")


def test_iaas_library_reads_no_zlib_of_a_qemu_and_writes_none() -> None:
    there = line(advised("qemu-7.2", "qemu-9.2.1+spr-qat-iaa"), "zlib", "refused", released=False)
    back = line(advised("qemu-9.2.1+spr-qat-iaa", "qemu-7.2"), "zlib", "refused", released=False)

    assert "distances reach 32768 bytes" in there.why
    assert there.why.endswith("QEMU has no parameter for its window")
    assert back.why == "libqpl cannot write it: it cannot keep a stream open across packets"


def test_between_hosts_with_qat_its_method_comes_before_those_of_the_cpu() -> None:
    advice = advised("qemu-10.0+icx-c62x", "qemu-10.0+icx-c62x")

    assert safe(advice).index("qatzip") < safe(advice).index("zstd")
    assert "compresses on QAT" in line(advice, "qatzip", "safe").why
    assert "decompresses on QAT" in line(advice, "qatzip", "safe").why
    assert "must be built with libqatzip" in line(advice, "qatzip", "safe").why


def test_qat_decompresses_nothing_of_what_software_has_compressed() -> None:
    found = line(advised("qemu-10.0", "qemu-10.0+icx-c62x"), "qatzip", "safe")

    assert "QEMU 10.0 compresses in libqatzip on the CPU" in found.why
    assert "decompresses on the CPU, for QAT takes none of the large members" in found.why


def test_no_guest_moves_to_a_kunpeng_from_another_architecture() -> None:
    refused = advised("icx-c62x", "kunpeng-920")

    assert refused.verdict == "refused"
    assert refused.lines[0].why.endswith("no guest changes that")


def test_a_version_alone_is_of_the_other_ends_architecture() -> None:
    assert advised("qemu-7.2", "kunpeng-920").sender.machine == "virt-7.2"


# Hazards


def test_zero_pages_in_packets_are_a_hazard_to_an_old_receiver_and_the_setting_is_named_with_its_default() -> None:
    hazard = line(advised("qemu-11.1", "qemu-7.2"), ANY, "hazard")

    assert str(hazard.setting) == "zero-page-detection=multifd; the default of pc-i440fx-7.2 is legacy"
    assert hazard.issues == ("qemu-zero-pages-ignored",)
    assert [json.loads(each)["arguments"] for each in hazard.qmp] == [{"zero-page-detection": "legacy"}]


def test_from_an_old_sender_there_is_no_such_hazard() -> None:
    assert ANY not in [each.method for each in advised("qemu-7.2", "qemu-11.1").lines]


@pytest.mark.parametrize(("receiver", "methods"), [("8.2", {"uadk", "qatzip"}), ("9.1", {"qatzip"}), ("9.2.1", set())])
def test_a_receiver_whose_mask_hides_a_flag_takes_payloads_for_pages(receiver: str, methods: set[str]) -> None:
    found = {each.method: each for each in advised("qemu-11.1", receiver).lines if each.method.endswith(">none")}

    assert set(found) == {f"{method}>none" for method in methods}
    assert {each.verdict for each in found.values()} <= {"hazard"}
    assert all(each.setting and each.setting.name == "multifd-compression" for each in found.values())


def test_a_refusal_that_comes_too_late_is_a_hazard_without_return_path() -> None:
    hazard = line(advised("qemu-10.0", "qemu-10.0"), UNLIKE, "hazard")

    assert str(hazard.setting) == "return-path=off; the default of pc-i440fx-10.0 is off"
    assert "qemu-completed-without-destination" in hazard.issues


def test_unequal_numbers_of_channels_are_refused_and_a_hazard_where_the_destination_is_slow() -> None:
    advice = advised("qemu-10.0", "qemu-10.0")

    assert line(advice, CHANNELS, "refused").words is not None
    assert "lost then without a word" in line(advice, CHANNELS, "hazard").why


# Defects of releases


def test_compression_loses_zero_pages_from_9_0_to_9_2_0_and_legacy_avoids_it() -> None:
    advice = advised("qemu-9.1", "qemu-9.2.1")

    hazard = line(advice, "zstd", "hazard")
    assert "cdc3970f85" in hazard.why
    assert str(hazard.setting) == "zero-page-detection=multifd; the default of pc-i440fx-9.1 is multifd"
    found = line(advice, "zstd", "safe")
    assert found.setting is not None
    assert (found.setting.value, '"zero-page-detection": "legacy"' in found.qmp[-1]) == ("legacy", True)
    assert line(advice, "none", "safe").setting is None


def test_on_a_machine_type_without_zero_pages_in_packets_that_defect_is_not_met() -> None:
    assert safe(advised("qemu-9.1", "qemu-8.2")) == ["none", "zstd", "zlib"]


@pytest.mark.parametrize(("receiver", "verdict"), [("9.2", "hazard"), ("9.2.1", "safe"), ("9.1", "safe")])
def test_9_2_0_drops_pages_of_senders_before_9_0(receiver: str, verdict: str) -> None:
    assert advised("qemu-7.2", receiver).verdict == verdict


def test_qpl_into_9_1_loses_pages_whoever_sends() -> None:
    assert "2588a5f99b" in line(advised("qemu-10.0", "qemu-9.1"), "qpl", "hazard").why


# What there is to paste


def test_what_is_safe_comes_with_qmp_for_both_ends() -> None:
    commands = [json.loads(each) for each in line(advised("7.2", "11.1"), "zstd", "safe").qmp]

    assert [each["execute"] for each in commands] == ["migrate-set-capabilities", "migrate-set-parameters"]
    on = {each["capability"] for each in commands[0]["arguments"]["capabilities"] if each["state"]}
    assert on == {"multifd", "return-path"}
    assert commands[1]["arguments"] == {"multifd-compression": "zstd", "multifd-channels": 2}


def test_libvirt_is_told_what_it_has_a_word_for() -> None:
    advice = advised("10.0", "10.0")

    assert "--comp-methods zstd" in line(advice, "zstd", "safe").libvirt[0]
    assert "--comp-methods" not in line(advice, "none", "safe").libvirt[0]
    assert line(advice, "none", "safe").libvirt[0].startswith("virsh migrate --live --parallel ")
    assert line(advice, "qatzip", "safe").libvirt[0].startswith("# libvirt names no multifd method but zlib and zstd")


def test_releases_without_a_common_machine_type_have_one_line_that_says_so() -> None:
    [only] = advised("qemu-11.1", "qemu-5.0").lines

    assert (only.method, only.verdict) == (ANY, "refused")
    assert only.why == "QEMU 11.1 and QEMU 5.0 share no machine type: go by a release between them"


def test_methods_that_neither_has_are_refused_by_the_destination_which_is_told_first() -> None:
    assert line(advised("7.2", "8.2"), "qpl", "refused").why.startswith("QEMU 8.2 is too old for it")


def test_a_release_that_is_one_dialect_too_old_is_called_so() -> None:
    assert line(advised("9.1", "9.2.1"), "qatzip", "refused").why == (
        "QEMU 9.1 is too old for it: 9.2 was the first with it"
    )


def test_a_binary_that_could_have_a_method_is_built_without_it(tmp_path: Path) -> None:
    file = tmp_path / "host.json"
    file.write_text('{"devices": [], "qemu": [{"version": "10.0.2", "methods": ["none", "zlib"]}]}')

    assert line(advised("10.0", str(file)), "zstd", "refused").why == "QEMU 10.0.2 is built without it"


def test_known_issues_are_those_of_these_releases() -> None:
    old, new = (line(advised(version, version), CHANNELS, "hazard").issues for version in ("5.2", "10.0"))

    assert set(new) - set(old) == {"qemu-extra-channel-ignored"}


@pytest.mark.parametrize(("sender", "verdict"), [("9.2", "hazard"), ("9.2.1", "safe")])
def test_9_2_0_is_the_last_that_leaves_zero_pages_out(sender: str, verdict: str) -> None:
    assert {each.verdict for each in advised(sender, "10.0").lines if each.method == "zstd" and not each.setting} <= {
        verdict
    }
    assert ("cdc3970f85" in str(advised(sender, "10.0").lines)) == (verdict == "hazard")


def test_9_2_0_drops_nothing_of_senders_from_9_0_on() -> None:
    assert line(advised("9.0", "9.2"), "none", "safe")


def test_what_libraries_could_do_is_said_of_zlib_and_of_the_other_ends_own_method() -> None:
    alone = {each.method for each in advised("10.0+icx-c62x", "10.0").lines if not each.released}
    beside = {each.method for each in advised("10.0+icx-c62x", "10.0+spr-qat-iaa").lines if not each.released}

    assert (alone, beside) == ({"zlib"}, {"zlib", "qpl", "qatzip"})
