"""What hardware did, in words and numbers, wherever a report speaks of it."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from multifd.result.record import Cell, DeviceVerdict, DeviceWork, Witness
from reports import html, junit, markdown
from reports.device import proof, said
from tests.reports.builder import cell, results

COUNTED = DeviceWork(
    end="sender", device="QAT", asked=12, most=12, counted=12, source="fw_counters", verdict="proven", witness="device"
)  # fmt: skip


def work(**changes: Any) -> DeviceWork:
    return COUNTED.model_copy(update=changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "asked 12 jobs, counted 12 (fw_counters): proven by the device's own counters"),
        (
            {"asked": 1200, "most": 1300, "counted": 1250},
            "asked 1,200 to 1,300 jobs, counted 1,250 (fw_counters): proven by the device's own counters",
        ),
        ({"most": None}, "asked at least 12 jobs, counted 12 (fw_counters): proven by the device's own counters"),
        (
            {"counted": 11, "verdict": "unproven"},
            "asked 12 jobs, counted 11 (fw_counters): unproven by the device's own counters",
        ),
        (
            {"most": None, "unit": "bytes", "witness": "library", "source": "total_in", "why": "it needs root"},
            "asked at least 12 bytes, counted 12 (total_in): proven by its library's own count; it needs root",
        ),
        (
            {"counted": None, "verdict": "unverified", "witness": "none", "why": "it needs root"},
            "asked 12 jobs, counted unknown (fw_counters): unverified; it needs root",
        ),
        (
            {"counted": None, "verdict": "unproven", "witness": "none"},
            "asked 12 jobs, counted unknown (fw_counters): unproven",
        ),
        (
            {
                "asked": 0,
                "most": 0,
                "counted": 0,
                "verdict": "fell-back",
                "why": "the member is larger than hw_buff_sz",
            },
            "asked 0 jobs, counted 0 (fw_counters): fell-back; the member is larger than hw_buff_sz",
        ),
        (
            {"counted": 13, "verdict": "disturbed", "why": "somebody else used it"},
            "asked 12 jobs, counted 13 (fw_counters): disturbed; somebody else used it",
        ),
        (
            {"busy": 3, "faults": 1, "why": "1 of its calls in software"},
            "asked 12 jobs, counted 12 (fw_counters): proven by the device's own counters; 1 of its calls in software;"
            " busy 3 times; a page was missing 1 time",
        ),
        (
            {"busy": 1, "faults": 2000},
            "asked 12 jobs, counted 12 (fw_counters): proven by the device's own counters; busy 1 time;"
            " a page was missing 2,000 times",
        ),
    ],
)
def test_an_ends_work_is_told_in_words_and_numbers(changes: dict[str, Any], words: str) -> None:
    assert said(work(**changes)) == words


def claiming(verdict: DeviceVerdict, *witnesses: Witness) -> Cell:
    return cell(device_verdict=verdict, device=tuple(work(witness=each) for each in witnesses))


def test_a_run_says_whose_word_proved_its_cells() -> None:
    cells = [
        *[claiming("proven", "device")] * 3, claiming("proven", "library"), claiming("proven", "device", "library"),
        claiming("fell-back", "device"), claiming("unverified", "none"), *[claiming("disturbed", "none")] * 2,
        claiming("unproven", "device"), claiming("not claimed"), cell(),
    ]  # fmt: skip

    assert proof(cells) == (
        "3 proven by the device's own counters, 2 proven by its library's own count, 1 fell-back, 1 unverified,"
        " 2 disturbed, 1 unproven"
    )


def test_a_fallback_beside_a_proof_is_no_witness() -> None:
    both = cell(device_verdict="proven", device=(work(), work(verdict="fell-back", witness="library")))

    assert proof([both]) == "1 proven by the device's own counters"


def test_a_run_without_hardware_says_nothing_of_it() -> None:
    assert proof([cell(), claiming("not claimed")]) == ""


def test_the_reports_tell_both() -> None:
    run = results(cell(verdict="fail", kind="unproven", device_verdict="proven", device=(work(),)))

    page, text, xml = html.render(run), markdown.render(run), ElementTree.fromstring(junit.render(run))

    assert "<dt>Hardware</dt><dd>1 proven by the device&#39;s own counters</dd>" in page
    assert "sender on QAT: asked 12 jobs, counted 12 (fw_counters): proven by the device&#39;s own counters" in page
    assert "\n- Hardware: 1 proven by the device's own counters\n" in text
    (said_of_it,) = xml.iter("system-out")
    assert f"[[PROPERTY|device.sender=QAT: {said(work())}]]" in str(said_of_it.text)


def test_and_nothing_of_hardware_where_none_is_claimed() -> None:
    run = results(cell())

    assert "<dt>Hardware</dt>" not in html.render(run)
    assert "Hardware:" not in markdown.render(run)
