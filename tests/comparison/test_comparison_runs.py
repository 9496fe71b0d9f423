"""Two runs: findings, who takes part, what silicon did, other names, and the sum of it."""

from __future__ import annotations

from typing import Any, Final

import pytest

from multifd.comparison.compared import Comparison, compare
from multifd.comparison.folded import folded
from multifd.errors import InputError
from multifd.result.chance import ENOUGH
from multifd.result.known import KnownIssue, settle, shipped
from multifd.result.record import Cell, DeviceVerdict, DeviceWork, Finding, Peer, Provenance, Results, Unable
from tests.reports.builder import cell, finding, results

SHOWN: Final = finding(id="gone-wrong", cells=("a", "b"))


def run(*cells: Cell, peers: tuple[Peer, ...] = (), cannot: tuple[Unable, ...] = (), **fields: Any) -> Results:
    """A run of these cells and peers."""
    return results(*cells, cannot=cannot, **fields).model_copy(update={"peers": peers})


def peer(name: str, provenance: Provenance = "software", **changes: Any) -> Peer:
    fields: dict[str, Any] = {
        "name": name, "kind": "codec", "codec": name, "device": None, "provenance": provenance, "version": "1",
        "roles": ("sender", "receiver"), "capabilities": {},
        **changes,
    }  # fmt: skip
    return Peer(**fields)


def test_a_run_does_not_differ_from_itself() -> None:
    same = run(cell(), peers=(peer("zlib"),), findings=(SHOWN,))

    found = compare(same, same)

    assert (found.regressions, found.cells, found.peers, found.versions) == (0, (), (), ())
    assert [each.state for each in found.findings] == ["still there"]
    assert found.same_plan


# findings


@pytest.mark.parametrize("verdict", ["pass", "refused", "known", "hazard"])
def test_a_finding_is_gone_where_all_its_cells_were_run_again_and_do_not_show_it(verdict: str) -> None:
    (gone,) = compare(run(findings=(SHOWN,)), run(cell(id="a", verdict=verdict), cell(id="b"))).findings

    assert (gone.id, gone.state, gone.worse, gone.cells, gone.looked_at) == ("gone-wrong", "gone", False, ("a", "b"), 2)


@pytest.mark.parametrize("verdict", ["skip", "not-run", "error", "fail", None])
def test_a_finding_of_which_one_cell_says_nothing_is_not_gone(verdict: str | None) -> None:
    after = run(cell(id="b"), *([cell(id="a", verdict=verdict)] if verdict else []))

    (unseen,) = compare(run(findings=(SHOWN,)), after).findings

    assert (unseen.state, unseen.looked_at) == ("not looked at", 1)


def test_a_finding_of_both_runs_is_still_there() -> None:
    after = run(cell(id="a", verdict="known"), findings=(finding(id="gone-wrong", cells=("a",)),))

    (there,) = compare(run(findings=(SHOWN,)), after).findings

    assert (there.state, there.worse, there.shown) == ("still there", False, 1)


def no_longer(issue: str, **fields: Any) -> Cell:
    """The record of a cell that a known issue always shows in, and did not."""
    return settle(cell(id="a", suite="vendor", verdict="pass", **fields), [issue_of(issue)])


def issue_of(name: str) -> KnownIssue:
    return next(each for each in shipped() if each.id == name).model_copy(update={"suite": ".*", "scenario": ".*"})


def test_a_cell_that_fails_for_a_known_issue_that_no_longer_happens_shows_that_it_is_gone_and_is_better() -> None:
    issue = "qatzip-raw-exact"
    after = no_longer(issue, sender="qatzip", receiver="qatzip")
    before = cell(id="a", suite="vendor", verdict="known", kind="wrong-error", issues=(issue,))

    found = compare(run(before, findings=(finding(id=issue, cells=("a",)),)), run(after))

    assert after.verdict == "fail"
    assert [each.state for each in found.findings] == ["gone"]
    assert [each.direction for each in found.cells] == ["better"]
    assert found.regressions == 0


def test_another_issue_of_a_cell_that_fails_for_one_that_is_gone_is_still_there() -> None:
    own = "compressing a page, destination exactly right: expected identical, observed refused: QZ_FAIL (raw)"
    after = no_longer("qatzip-garbage-tail", sender="qatzip", receiver="qatzip").model_copy(
        update={"complaints": (own,)}
    )

    (there,) = compare(run(findings=(finding(id="qatzip-raw-exact", cells=("a",)),)), run(after)).findings

    assert there.state == "still there"


# findings that come by chance

RACE: Final = "qemu-source-aborts-when-reset"


def race(*names: str, **fields: Any) -> tuple[Cell, ...]:
    return tuple(
        cell(id=name, suite="qemu", **{"verdict": "known", "kind": "crash", "issues": (RACE,), **fields})
        for name in names
    )


@pytest.mark.parametrize(
    "other",
    [
        {"verdict": "refused", "predicted": "identical", "kind": None, "issues": ()},
        {"verdict": "pass", "kind": None, "issues": ()},
        {"verdict": "hazard", "predicted": "identical", "kind": None, "issues": ("qemu-mask-hides-flag",)},
        {"verdict": "known", "kind": "hang", "issues": ("qemu-refused-channel-unreported",)},
    ],
)
def test_a_race_in_one_of_both_runs_is_neither_worse_nor_better_but_marked(other: dict[str, Any]) -> None:
    for before, after in ((race("a"), race("a", **other)), (race("a", **other), race("a"))):
        found = compare(run(*before), run(*after))

        assert [(each.direction, each.chance) for each in found.cells] == [("other", True)]
        assert found.regressions == 0


@pytest.mark.parametrize(
    "other", [{"verdict": "fail", "kind": "corrupt", "issues": ()}, {"predicted": "rejected", "verdict": "fail"}]
)
def test_a_failure_after_a_race_is_a_regression(other: dict[str, Any]) -> None:
    found = compare(run(*race("a")), run(*race("a", **other)))

    assert [(each.direction, each.chance) for each in found.cells] == [("worse", False)]


def test_what_always_comes_is_no_race() -> None:
    before = race("a", issues=("qemu-waits-for-missing-channels",))

    found = compare(run(*before), run(*race("a", verdict="refused", kind=None, issues=())))

    assert [(each.direction, each.chance) for each in found.cells] == [("better", False)]


def test_a_race_that_is_new_in_a_cell_is_no_regression() -> None:
    shown = finding(id=RACE, cells=("a",))

    (new,) = compare(run(cell(id="a")), run(*race("a"), findings=(shown,))).findings

    assert (new.state, new.looked_at, new.chance, new.worse) == ("new", 1, True, False)


def test_what_comes_instead_of_a_race_is_no_regression() -> None:
    shown = finding(id="qemu-mask-hides-flag", cells=("a",))
    after = race("a", verdict="hazard", kind=None, issues=(shown.id,))

    (new,) = (each for each in compare(run(*race("a")), run(*after, findings=(shown,))).findings if each.id == shown.id)

    assert (new.state, new.looked_at, new.worse) == ("new", 1, False)


@pytest.mark.parametrize(("number", "state"), [(1, "not seen"), (ENOUGH - 1, "not seen"), (ENOUGH, "gone")])
def test_a_race_is_gone_only_where_many_cells_showed_it(number: int, state: str) -> None:
    names = tuple(map(str, range(number)))
    before = run(*race(*names), findings=(finding(id=RACE, cells=names),))

    (found,) = compare(before, run(*(cell(id=name) for name in names))).findings

    assert found.state == state


def test_all_that_is_worse_is_counted_by_what_it_is() -> None:
    before = run(cell(id="a"), cell(id="b"), peers=(peer("own", "hardware"),))
    after = run(cell(id="a", verdict="fail"), cell(id="b", verdict="known"), peers=(peer("own", "emulated"),),
                findings=(finding(id="new", cells=("b",)),))  # fmt: skip

    found = compare(before, after)

    assert (found.regressions, found.worse) == (4, {"cell": 2, "peer": 1, "finding": 1})


def test_a_finding_in_a_cell_that_did_not_show_it_is_a_regression() -> None:
    found = compare(run(cell(id="a")), run(cell(id="a"), findings=(SHOWN,)))

    assert [(each.state, each.worse) for each in found.findings] == [("new", True)]
    assert found.regressions == 1


def test_a_finding_in_new_cells_is_none() -> None:
    found = compare(run(), run(cell(id="a"), findings=(SHOWN,)))

    assert [(each.state, each.worse) for each in found.findings] == [("new", False)]
    assert found.regressions == 0


def test_findings_come_worst_first() -> None:
    new, mild = finding(id="new", severity="leak", cells=("a",)), finding(id="mild", severity="contract", cells=("a",))
    grave = finding(id="grave", severity="corruption")
    after = run(cell(id="a"), findings=(grave, mild, new))

    assert [each.id for each in compare(run(cell(id="a"), findings=(SHOWN,)), after).findings] == [
        "new", "mild", "grave", "gone-wrong",
    ]  # fmt: skip


# who takes part


def test_a_peer_of_another_version_is_told_and_not_judged() -> None:
    found = compare(run(peers=(peer("qatzip", version="1.3"),)), run(peers=(peer("qatzip", version="2.0"),)))

    (change,) = found.peers
    assert (change.before, change.after, change.direction) == ("1.3, software", "2.0, software", "other")


def test_a_peer_that_ran_on_silicon_and_is_a_model_now_is_a_regression() -> None:
    found = compare(run(peers=(peer("own", "hardware"),)), run(peers=(peer("own", "emulated"),)))

    assert ([each.direction for each in found.peers], found.regressions) == (["worse"], 1)


def test_peers_that_are_new_or_gone_are_told() -> None:
    found = compare(run(peers=(peer("a"),)), run(peers=(peer("b"),)))

    assert [(each.name, each.before, each.after, each.direction) for each in found.peers] == [
        ("b", None, "1, software", "other"),
        ("a", "1, software", None, "other"),
    ]


def test_versions_of_the_circumstances_are_told() -> None:
    before, after = run(), run()
    after = after.model_copy(update={"run": after.run.model_copy(update={"versions": {"zlib": "1.3", "new": "1"}})})

    found = {each.name: (each.before, each.after) for each in compare(before, after).versions}

    assert (found["zlib"], found["new"], found["python"]) == (("1.2.13", "1.3"), (None, "1"), ("3.11.2", None))


def test_what_a_peer_of_both_runs_cannot_do_any_more_is_told() -> None:
    cannot = Unable(framing="zstd", peer="own", role="sender", reason="it forgot", tried=True)
    both = (peer("own"),)

    (lost,) = compare(run(peers=both), run(peers=both, cannot=(cannot,))).unable
    (found,) = compare(run(peers=both, cannot=(cannot,)), run(peers=both)).unable

    assert ((lost.new, lost.reason), (found.new, found.framing)) == ((True, "it forgot"), (False, "zstd"))


def test_what_a_new_peer_cannot_do_is_no_news() -> None:
    cannot = Unable(framing="zstd", peer="own", role="sender", reason="it never could", tried=True)

    assert compare(run(), run(peers=(peer("own"),), cannot=(cannot,))).unable == ()


# silicon


def on(device: str, *verdicts: DeviceVerdict, provenance: Provenance = "hardware", name: str = "qatzip") -> Results:
    """A run with cells on a device."""
    cells = [
        cell(
            id=f"{name}/{number}",
            sender=name,
            device=(DeviceWork(end="sender", device=device, asked=1, counted=1, source="counter", verdict=verdict),),
        )
        for number, verdict in enumerate(verdicts)
    ]
    return run(*cells, peers=(peer(name, provenance, device=device),))


def test_silicon_that_became_a_model_is_a_regression_whatever_its_peers_are_called() -> None:
    after = run(cell(id="other", sender="qat-emulated"), peers=(peer("qat-emulated", "emulated", device="QAT"),))

    found = compare(on("QAT", "proven", "proven"), after)

    (device,) = found.devices
    assert (device.before, device.after, device.direction) == ("hardware", "emulated", "worse")
    assert (device.proven_before, device.proven_after) == (2, 0)
    assert found.regressions == 1


def test_silicon_that_became_a_model_is_a_regression_though_no_cell_looks_at_it() -> None:
    after = run(peers=(peer("qat-emulated", "emulated", device="QAT"),))

    assert compare(on("QAT", "unverified"), after).regressions == 1


def test_silicon_that_is_there_now_is_better() -> None:
    before = run(peers=(peer("qat-emulated", "emulated", device="QAT"),))

    (device,) = compare(before, on("QAT", "proven")).devices

    assert (device.before, device.after, device.direction) == ("emulated", "hardware", "better")


@pytest.mark.parametrize("verdict", ["not claimed", "unverified", "fell-back", "unproven", "disturbed"])
def test_silicon_whose_work_is_proven_no_more_is_a_regression(verdict: DeviceVerdict) -> None:
    before = on("QAT", "proven")
    after = on("QAT", verdict, name="qatzip[level=9]")

    (device,) = compare(before, after).devices

    assert (device.proof_before, device.proof_after, device.direction) == ("proven", verdict, "worse")


def test_a_run_that_looks_at_no_cell_of_a_device_says_nothing_of_its_proof() -> None:
    found = compare(on("QAT", "proven"), on("QAT"))

    assert [each.direction for each in found.devices] == ["other"]
    assert found.regressions == 0


def test_one_proven_cell_among_many_proves_the_device() -> None:
    assert compare(on("QAT", "proven"), on("QAT", "proven", "unverified")).devices == ()


def test_a_device_that_had_no_silicon_in_either_run_is_no_news() -> None:
    before, after = (run(peers=(peer("qatzip", kind, device="QAT"),)) for kind in ("vendor-software", "emulated"))

    assert compare(before, after).devices == ()


# names


def qemu(version: str) -> Peer:
    return peer(f"qemu-{version}", kind="qemu", codec=None, version=version)


def migration(version: str, verdict: str, **fields: Any) -> Cell:
    name = f"qemu-{version}"
    return cell(id=f"qemu/zlib/{name}~{name}/qemu-10.0/migrate", suite="qemu", sender=name, receiver=name,
                verdict=verdict, **fields)  # fmt: skip


def test_a_qemu_of_another_version_can_be_compared_by_its_new_name() -> None:
    before = run(migration("10.0.13", "pass"), peers=(qemu("10.0.13"),))
    after = run(migration("11.1.3", "fail"), peers=(qemu("11.1.3"),))

    found = compare(before, after, {"qemu-10.0.13": "qemu-11.1.3"})

    assert [(each.cell, each.before, each.after, each.direction) for each in found.cells] == [
        ("qemu/zlib/qemu-11.1.3~qemu-11.1.3/qemu-10.0/migrate", "pass", "fail (invariant)", "worse")
    ]
    assert [(each.name, each.before, each.after) for each in found.peers] == [
        ("qemu-11.1.3", "10.0.13, software", "11.1.3, software")
    ]
    assert [head.qemus for head in (found.before, found.after)] == [("qemu-10.0.13",), ("qemu-11.1.3",)]


def test_a_dialect_of_that_name_keeps_it() -> None:
    before = run(migration("10.0", "pass"), peers=(qemu("10.0"),))
    after = run(migration("11.0", "pass"), peers=(qemu("11.0"),))

    assert compare(before, after, {"qemu-10.0": "qemu-11.0"}).cells == ()


def test_findings_go_with_their_cells_to_the_new_name() -> None:
    old = migration("10.0.13", "known")
    before = run(old, peers=(qemu("10.0.13"),), findings=(finding(cells=(old.id,)),))
    after = run(migration("11.1.3", "pass"), peers=(qemu("11.1.3"),))

    (gone,) = compare(before, after, {"qemu-10.0.13": "qemu-11.1.3"}).findings

    assert (gone.state, gone.looked_at) == ("gone", 1)


def test_one_qemu_in_the_place_of_another_is_hinted_at() -> None:
    before, after = run(peers=(qemu("10.0.13"),)), run(peers=(qemu("11.1.3"),))

    assert "--rename qemu-10.0.13=qemu-11.1.3" in (compare(before, after).hint or "")


@pytest.mark.parametrize("after", [("10.0.13",), ("10.0.13", "11.1.3"), ("11.1.3", "7.2.22"), ()])
def test_nothing_is_hinted_at_where_it_is_not_plain_who_is_meant(after: tuple[str, ...]) -> None:
    found = compare(run(peers=(qemu("10.0.13"),)), run(peers=tuple(map(qemu, after))))

    assert found.hint is None


def test_a_name_that_no_peer_has_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match="--rename qemu-10: no peer of the run before; the nearest are qemu-10"):
        compare(run(peers=(qemu("10.0.13"),)), run(), {"qemu-10": "x"})


def test_a_new_name_that_no_peer_has_is_refused_with_the_nearest() -> None:
    before, after = run(peers=(qemu("10.0.13"),)), run(peers=(qemu("11.1.3"),))

    with pytest.raises(
        InputError, match=r"--rename qemu-11\.3: no peer of the run after; the nearest are qemu-11\.1\.3"
    ):
        compare(before, after, {"qemu-10.0.13": "qemu-11.3"})


def test_one_name_for_two_peers_is_refused() -> None:
    before, after = run(peers=(qemu("7"), qemu("8"))), run(peers=(qemu("9"),))

    with pytest.raises(InputError, match="--rename: qemu-9 would be the new name of two peers, expected one for each"):
        compare(before, after, {"qemu-7": "qemu-9", "qemu-8": "qemu-9"})


def test_a_qemu_brings_its_dialect_with_it() -> None:
    old, new = (migration(version, "pass") for version in ("7.2", "10.0"))
    old = old.model_copy(update={"dialect": "qemu-5.0", "id": old.id.replace("/qemu-10.0/", "/qemu-5.0/")})

    found = compare(run(old, peers=(qemu("7.2"),)), run(new, peers=(qemu("10.0"),)), {"qemu-7.2": "qemu-10.0"})

    assert (found.both, found.cells, found.rule) == (1, (), None)


# two peers of one run


def crossing(sender: str, receiver: str, verdict: str, **fields: Any) -> Cell:
    return cell(id=f"qemu/zlib/{sender}~{receiver}/qemu-10.0/migrate", suite="qemu", sender=sender, receiver=receiver,
                verdict=verdict, **fields)  # fmt: skip


OLD: Final = "qemu-10"
NEW: Final = "qemu-11"


def with_both(*cells: Cell, findings: tuple[Finding, ...] = ()) -> Comparison:
    """One run that has both, and a QEMU that is neither."""
    both = run(*cells, peers=tuple(map(qemu, ("7", "10", "11"))), findings=findings)
    return compare(both, both, {OLD: NEW})


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ((NEW, NEW), (OLD, OLD)),
        ((NEW, "qemu-7"), (OLD, "qemu-7")),
        (("zlib", NEW), ("zlib", OLD)),
        ((OLD, NEW), (OLD, OLD)),
        ((NEW, OLD), (OLD, OLD)),
    ],
)
def test_what_the_new_one_does_is_held_against_what_the_old_one_does_in_its_place(
    new: tuple[str, str], old: tuple[str, str]
) -> None:
    found = with_both(crossing(*old, "pass"), crossing(*new, "fail"))

    assert [(each.cell, each.before, each.after, each.direction) for each in found.cells] == [
        (crossing(*new, "fail").id, "pass", "fail (invariant)", "worse")
    ]
    assert (found.both, found.regressions) == (1, 1)


def test_cells_of_neither_and_old_ones_that_have_no_like_are_told_apart() -> None:
    found = with_both(crossing("qemu-7", "qemu-7", "fail"), crossing("zlib", OLD, "fail"), crossing(NEW, NEW, "pass"))

    assert [(each.cell, each.before, each.after) for each in found.cells] == [
        (crossing(NEW, NEW, "pass").id, None, "pass"),
        (crossing("zlib", NEW, "pass").id, "fail (invariant)", None),
    ]


def test_the_rule_is_said_where_one_run_has_both() -> None:
    found = with_both(crossing(OLD, OLD, "pass"), crossing(NEW, OLD, "pass"), crossing(NEW, NEW, "pass"))

    assert found.rule == (
        "compared: 2 cells of qemu-11, each with the same of qemu-10 in its place; a migration between the two"
        " with one of the old to itself; cells of neither are left out"
    )


def test_cells_that_have_no_like_are_none_that_are_compared() -> None:
    found = with_both(crossing(OLD, OLD, "pass"), crossing(NEW, NEW, "pass"), crossing("zlib", NEW, "pass"))

    assert (found.both, found.names) == (1, {OLD: NEW})
    assert "compared: 1 cell of qemu-11, each with the same of qemu-10 in its place, and for 1 more there is none;" in (
        found.rule or ""
    )


def test_a_finding_of_the_old_one_is_gone_where_the_new_one_was_looked_at() -> None:
    shown = crossing(OLD, OLD, "known")

    (gone,) = with_both(shown, crossing(NEW, NEW, "pass"), findings=(finding(cells=(shown.id,)),)).findings

    assert (gone.state, gone.cells) == ("gone", (crossing(NEW, NEW, "pass").id,))


def test_a_finding_of_neither_is_not_told() -> None:
    shown = crossing("qemu-7", "qemu-7", "known")

    assert with_both(shown, crossing(NEW, NEW, "pass"), findings=(finding(cells=(shown.id,)),)).findings == ()


def test_of_the_peers_only_the_new_one_is_not_as_it_was() -> None:
    found = with_both(crossing(OLD, OLD, "pass"), crossing(NEW, OLD, "pass"))

    assert [(each.name, each.before, each.after) for each in found.peers] == [(NEW, "10, software", "11, software")]


def test_cells_that_a_codec_makes_of_two_dialects_stay_two() -> None:
    old, new = (
        [
            crossing("zlib", name, verdict).model_copy(
                update={"id": f"qemu/zlib/zlib~{name}/{dialect}", "dialect": dialect}
            )
            for dialect, verdict in (("qemu-5.0", "refused"), ("qemu-10.0", "pass"))
        ]
        for name in (OLD, NEW)
    )

    found = with_both(*old, *new)

    assert (found.both, found.cells) == (2, ())


def test_what_the_new_one_could_not_do_either_is_not_new() -> None:
    cannot = tuple(
        Unable(framing="zstd", peer=name, role="sender", reason="it is not built in", tried=True) for name in (OLD, NEW)
    )
    both = run(crossing(NEW, NEW, "pass"), peers=(qemu("10"), qemu("11")), cannot=cannot)
    able = run(crossing(NEW, NEW, "pass"), peers=(qemu("10"), qemu("11")), cannot=cannot[1:])

    assert compare(both, both, {OLD: NEW}).unable == ()
    assert [each.new for each in compare(able, able, {OLD: NEW}).unable] == [True]


# worst first


def test_of_what_is_worse_the_worst_comes_first() -> None:
    ends = {"a": ("hazard", None), "b": ("fail", "wrong-error"), "c": ("skip", None), "d": ("fail", "corrupt")}
    before = run(*(cell(id=name) for name in ends))
    after = run(*(cell(id=name, verdict=verdict, kind=kind) for name, (verdict, kind) in ends.items()))

    found = compare(before, after)

    assert [each.cell for each in found.cells] == ["d", "b", "c", "a"]


def test_one_cell_that_fails_comes_before_many_that_are_hazards() -> None:
    names = ("a", "b", "c")
    before = run(*map(cell_of, names))
    after = run(cell_of("a", verdict="hazard"), cell_of("b", verdict="hazard"), cell_of("c", verdict="fail"))

    groups = folded(compare(before, after).cells)

    assert [group.turn for group in groups] == ["pass -> fail (invariant)", "pass -> hazard"]


def cell_of(name: str, **fields: Any) -> Cell:
    return cell(id=name, **fields)


@pytest.mark.parametrize(("missing", "said"), [
    (("2/3",), "1 of 3 shards is missing, 2/3; remedy: multifd merge OUT DIR... with all of them"),
    (("1/3", "3/3"), "2 of 3 shards are missing, 1/3, 3/3; remedy: multifd merge OUT DIR... with all of them"),
])  # fmt: skip
def test_of_a_merged_run_the_shards_that_it_lacks_are_named(missing: tuple[str, ...], said: str) -> None:
    made = run(cell())
    made = made.model_copy(update={"run": made.run.model_copy(update={"complete": False, "missing": missing})})

    assert compare(made, made).before.lacking == said


# the head


def test_both_runs_have_a_head() -> None:
    before = run(cell(id="a"), cell(id="b", verdict="fail"), peers=(qemu("7.2"),))

    head = compare(before, run()).before

    assert (head.id, head.profile, head.qemus, head.cells, head.counts, head.lacking) == (
        "2025-11-22T20:00:00Z-1b2c", "software-only", ("qemu-7.2",), 2, {"pass": 1, "fail": 1}, None,
    )  # fmt: skip


@pytest.mark.parametrize(("finished", "complete", "verdict", "lacking"), [
    (None, False, "pass", "it has no end, for it is going on or was cut off"),
    ("2025-11-22T20:01:23Z", False, "pass", "it was interrupted"),
    ("2025-11-22T20:01:23Z", True, "not-run", "1 of 1 cell not run"),
    (None, False, "not-run", "1 of 1 cell not run, it has no end, for it is going on or was cut off"),
])  # fmt: skip
def test_what_a_run_lacks_is_said(finished: str | None, complete: bool, verdict: str, lacking: str) -> None:
    made = run(cell(verdict=verdict))
    made = made.model_copy(update={"run": made.run.model_copy(update={"finished": finished, "complete": complete})})

    assert compare(made, made).after.lacking == lacking


def test_a_comparison_is_read_back_from_its_json() -> None:
    found = compare(on("QAT", "proven"), run(cell(verdict="fail"), findings=(SHOWN,)))

    assert Comparison.model_validate_json(found.model_dump_json(by_alias=True)) == found


def test_hosts_that_are_described_at_length_are_compared() -> None:
    def on(name: str) -> Results:
        run = results(cell()).run.model_copy(update={"host": {"cpu": 2500 * name, "system": 2500 * name}})
        return results(cell()).model_copy(update={"run": run})

    found = compare(on("a"), on("b"))

    assert found.before.host.endswith(" KiB more are left out)")
    assert len(found.costs.why or "") > 4096
