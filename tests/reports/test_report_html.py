"""report.html: what stands in it as markup, what is packed in it, where links lead, and what it lets nobody do."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import parse_qs

import pytest

from multifd.result.content import in_words
from multifd.result.record import CpuSeconds, DeviceWork, Results, Rule, Setting, Sides
from reports import html
from reports.vocabulary import NO_QEMU, VERDICTS
from tests.reports.builder import cell, finding, realistic, results, unable, user_content
from tests.reports.packed import held

VOID = {"meta", "input", "br", "rect"}
HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e"


class Document(HTMLParser):
    """Tags, ids, links and text of a document, without what it has packed, its script and its style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: set[str] = set()
        self.policy = ""
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.tags.append(tag)
        if name := attributes.get("id"):
            self.ids.append(name)
        if target := attributes.get("href"):
            self.links.add(target)
        if attributes.get("http-equiv") == "Content-Security-Policy":
            self.policy = attributes.get("content") or ""
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in ("script", "style"):
            self.words += data.split()

    @property
    def text(self) -> str:
        return " ".join(self.words)


def document(run: Results) -> Document:
    return Document(html.render(run))


@pytest.fixture(scope="module")
def large() -> str:
    """The page of a run of realistic size."""
    return html.render(realistic())


# What a reader without script has.


def test_every_verdict_that_occurred_is_counted_with_its_symbol_and_leads_to_its_cells() -> None:
    page = document(results(*(cell(id=verdict, verdict=verdict) for verdict in VERDICTS)))

    tally = " ".join(f"{term.symbol} 1 {term.word}" for term in VERDICTS.values())
    assert f"{tally} What was not checked" in page.text
    assert {f"#?verdict={verdict}" for verdict in VERDICTS} <= page.links
    assert "fail What was not checked" not in document(results(cell())).text


def test_the_first_screen_has_verdict_what_was_not_checked_what_to_set_methods_findings(
    large: str,
) -> None:
    text = Document(large).text

    parts = ("Not conforming", "What was not checked", "What to set", "Methods in a release", "Findings and hazards")
    assert sorted(map(text.rindex, parts)) == list(map(text.rindex, parts))


def test_what_a_method_costs_is_said_beyond_none_and_none_has_no_cost() -> None:
    took = {
        framing: cell(
            id=f"qemu/{framing}", suite="qemu", sender="qemu-10.2", receiver="qemu-10.2", framing=framing,
            scenario="defaults", bytes_memory=1 << 30, cpu_seconds=CpuSeconds(sender=seconds, receiver=1.0),
        )
        for framing, seconds in {"none": 1.0, "zlib": 3.0}.items()
    }  # fmt: skip

    text = document(results(*took.values())).text

    assert "2.0 CPU s/GiB more than none" in text
    assert "0.0 CPU s/GiB" not in text


def test_a_failure_stands_with_kind_error_device_and_reproduce_line() -> None:
    work = DeviceWork(end="sender", device="QAT", asked=9, counted=3, source="fw_counters", verdict="unproven")
    run = results(
        cell(id="good"),
        cell(id="bad", verdict="fail", kind="crash", reason="the peer died", error="signal 11", complaints=("a", "b<"),
             reproduce="tox -x", device=(work,)),
    )  # fmt: skip

    text = document(run).text

    assert "✗ crash bad zlib software → isal software the peer died" in text
    assert "signal 11 a b< sender on QAT: asked" in text
    assert "unproven tox -x" in text


def test_a_failure_says_what_was_predicted_and_why_and_then_what_disagreed() -> None:
    red = cell(id="red", verdict="fail", kind="crash", reason="it died <b>", predicted_because="all holds <b>")

    text = html.render(results(red))

    assert "<br>predicted identical: all holds &lt;b&gt;<br>it died &lt;b&gt;<details>" in text


def test_a_cell_has_its_rule_and_why_it_was_predicted_once() -> None:
    red = cell(id="red", verdict="fail", kind="crash", reason="it died", rule="flags", predicted_because="all holds")
    run = results(red, cell(id="green", rule="all-hold"))
    rules = (Rule(name="flags", holds="they are expected"),)

    packed = held(html.render(run.model_copy(update={"run": run.run.model_copy(update={"rules": rules})})))

    assert packed["rule"] == ["flags", "all-hold"]
    assert packed["predicted_because"] == ["all holds", None]
    assert packed.facts["rules"] == [["flags", "they are expected"]]


def test_a_command_that_shows_the_packet_has_the_cells_id_once() -> None:
    red = cell(
        id="qemu/long/id", suite="qemu", verdict="fail", observed="crash", kind="crash",
        reproduce="run --cell qemu/long/id",
    )  # fmt: skip

    ((_, commands),) = held(html.render(results(red)))["unnamed"]

    assert commands[0] == "multifd bundle \ufffc -o cell.tar.gz"


def test_of_many_failures_the_list_has_the_others() -> None:
    page = document(results(*(cell(id=f"c{k}", verdict="fail", kind="hang") for k in range(html.SHOWN + 5))))

    assert page.text.count("✗ hang") == html.SHOWN
    assert "And 5 more" in page.text
    assert "#?verdict=fail%7Cerror" in page.links


def test_an_incomplete_run_says_so_even_if_it_failed() -> None:
    text = document(results(cell(verdict="fail", kind="hang"), complete=False)).text

    assert "Not conforming Incomplete run" in text
    assert "The run is incomplete" in text


def test_a_run_with_nothing_checked_is_headlined_as_such() -> None:
    assert "<h1>Nothing was checked</h1>" in html.render(results())


def test_what_the_run_says_between_two_hosts_is_set_down_line_by_line() -> None:
    old, new = (cell(framing=m, dialect="qemu-9.2", scenario="capture", sender=m, receiver=m) for m in ("zlib", "zstd"))

    page = document(results(old, new))

    assert "✓" in page.text[page.text.index("From ↓ to →") :]
    assert '{"execute": "migrate-set-parameters"' in page.text
    places = {link[1:] for link in page.links if re.match(r"#set-\d+-\d+$", link)}
    assert places and places <= set(page.ids)


def test_a_place_of_the_matrix_of_methods_leads_to_what_is_behind_it() -> None:
    run = results(cell(framing="zlib>zstd", dialect="qemu-5.0>qemu-9.0", scenario="live", verdict="refused"))

    page = document(run)

    assert "zlib 5.0–8.2 ⊘ refused" in page.text
    [place] = [link for link in page.links if "sends=" in link]
    asked = parse_qs(place[2:])
    assert (asked["sends"], asked["reads"], asked["old"], asked["new"]) == (
        ["zlib"], ["zstd"], ["qemu-5.0"], ["qemu-9.0"],
    )  # fmt: skip


def test_a_hazard_of_the_matrix_names_the_setting_behind_it() -> None:
    told = Setting(name="zero-page-detection", value="multifd", default="legacy")
    shown = cell(
        scenario="live", receiver="zlib", predicted="hazard", observed="hazard", verdict="hazard", setting=(told,)
    )

    assert "▲ hazard zero-page-detection=multifd" in document(results(shown)).text


def test_findings_of_migrations_come_before_those_of_libraries_alone() -> None:
    met, alone = cell(id="met", verdict="known"), cell(id="alone", suite="vendor", verdict="known")
    run = results(
        met,
        alone,
        findings=(
            finding(id="library", cells=("alone",), severity="corruption", component="libqpl"),
            finding(id="wire", cells=("met",), severity="leak", component="the wire"),
        ),
    )

    text = document(run).text

    assert text.index("Met by migrations the wire") < text.index("by themselves libqpl")


def test_findings_of_a_component_stand_together_the_gravest_first() -> None:
    hit = cell(verdict="known")
    found = [("a", "leak", "QEMU"), ("b", "corruption", "libqpl"), ("c", "crash", "QEMU")]
    run = results(hit, findings=tuple(finding(id=i, severity=s, component=c, cells=(hit.id,)) for i, s, c in found))

    ids = [name for name in document(run).ids if name.startswith("finding-")]

    assert ids == ["finding-b", "finding-c", "finding-a"]


def test_a_finding_says_what_to_do_about_it() -> None:
    known = cell(verdict="known", issues=("x",))
    setting = Setting(name="zero-page-detection", value="multifd", default="legacy", machine="pc-i440fx-7.2")
    told = finding(
        id="x", remedy="Or wait.", upstream="intel/qpl issue 21", fixed_in="10.2", reproducer="multifd/x.py",
        cells=(known.id,), setting=(setting,), instead={"zero-page-detection": "legacy"},
    )  # fmt: skip

    page = document(results(known, findings=(told,)))

    assert "Setting: with zero-page-detection=multifd; the default of pc-i440fx-7.2 is legacy" in page.text
    assert "Remedy: zero-page-detection=legacy. Or wait." in page.text
    assert "Upstream: intel/qpl issue 21 · fixed in: 10.2 · reproducer: multifd/x.py" in page.text
    assert {"https://github.com/intel/qpl/issues/21", "#?issue=x"} <= page.links


def test_a_finding_says_what_is_not_known_about_it() -> None:
    text = document(results(findings=(finding(fixed_in=None),))).text

    assert "Upstream: no report known · fixed in: no version known · reproducer: none that stands alone" in text


class Line(NamedTuple):
    """A line of a difference."""

    text: str
    direction: Literal["worse", "better", "other"] = "other"


def test_what_changed_since_an_earlier_run_stands_where_it_is_given() -> None:
    run = results(cell())
    lines = (Line("libqpl was 1.9"), Line(""), Line("pass -> fail <b>", "worse"), Line("fail -> pass", "better"))

    text = Document(html.render(run, since=lines)).text

    assert "Since the run before libqpl was 1.9 ✗ worse pass -> fail <b> ✓ better fail -> pass" in text
    assert "Nothing that is known here is otherwise." in Document(html.render(run, since=())).text
    assert "Since the run before" not in document(run).text


def test_what_is_said_of_a_change_is_folded_below_it() -> None:
    lines = (Line("worse: 1 cell"), Line("  pass -> fail: 1 cell", "worse"), Line("      because <i>"), Line("cost"))

    page = html.render(results(cell()), since=lines)

    folded = '<summary><b class="v fail">✗ worse</b> pass -&gt; fail: 1 cell</summary>'
    assert f'<details>{folded}<ul class="plain"><li>because &lt;i&gt;</li></ul></details>' in page


def test_a_run_with_hazards_says_that_as_predicted_is_not_safe() -> None:
    said = "in 1 cell memory is wrong and neither side says so"

    assert said in document(results(cell(verdict="hazard", predicted="hazard", observed="hazard"))).text
    assert said not in document(results(cell())).text


def test_codecs_are_told_with_their_versions_and_how_they_ran() -> None:
    text = document(results(cell())).text

    assert "Codecs zlib 1.3.1 S" in text


def test_workers_that_died_are_told() -> None:
    run = results(cell())

    assert "died" not in document(run).text
    lost = run.model_copy(update={"run": run.run.model_copy(update={"workers_lost": 2})})
    assert "Workers 2 died" in document(lost).text


def said_of_qemu(run: Results) -> list[str]:
    """Words from the label QEMU to the next one."""
    words = document(run).words
    start = words.index("QEMU", words.index("Profile"))
    return words[start : words.index("Host", start)]


def test_the_run_says_which_qemus_took_part() -> None:
    assert said_of_qemu(results(cell())) == ["QEMU", "qemu-10.2", "10.2.0"]


def test_without_a_real_qemu_the_run_has_the_remedy() -> None:
    run = results(cell()).model_copy(update={"peers": ()})

    assert " ".join(said_of_qemu(run)) == f"QEMU {NO_QEMU}"


def test_the_run_says_how_much_of_the_users_content_was_taken() -> None:
    content = user_content()

    assert f"Your content {in_words(content)} /dumps" in document(results(cell(), content=content)).text
    assert "Your content" not in document(results(cell())).text


# What is packed.


def test_every_cell_is_packed_once_in_the_order_of_the_plan(large: str) -> None:
    run = realistic()

    packed = held(large)

    assert packed["id"] == [one.id for one in run.cells]
    for name in ("verdict", "kind", "framing", "dialect", "sender", "receiver", "reason", "error", "page_size"):
        assert packed[name] == [getattr(one, name) for one in run.cells]


def test_a_cells_own_id_is_not_told_again() -> None:
    [line] = held(html.render(results(cell(id="a/b", reproduce="multifd run --cell 'a/b' -q"))))["reproduce"]

    assert line == "multifd run --cell '\ufffc' -q"


def test_how_each_end_ran_and_what_hardware_did_is_packed() -> None:
    sent = DeviceWork(end="sender", device="QAT", asked=1200, counted=1300, source="fw_counters", verdict="proven")
    run = results(
        cell(device=(sent,), device_verdict="proven", provenance=Sides(sender="hardware", receiver="emulated"))
    )  # fmt: skip

    packed = held(html.render(run))

    assert (packed["sent_by"], packed["read_by"]) == (["hardware"], ["emulated"])
    assert packed["device"] == [
        [["sender", "QAT", "asked at least 1,200 jobs, counted 1,300 (fw_counters): proven by nobody"]]
    ] or packed["device"] == [[["sender", "QAT", "asked at least 1,200 jobs, counted 1,300 (fw_counters): proven"]]]


def test_every_cell_has_its_place_in_one_matrix_or_listing(large: str) -> None:
    packed = held(large)

    for part, row, column in packed["place"]:
        shown = packed.facts["parts"][part]
        assert row < (len(shown["rows"]) if "axes" in shown else shown["rows"])
        assert column < (len(shown["columns"]) if "axes" in shown else 1)


def test_what_a_peer_cannot_do_is_a_blank_with_its_reason() -> None:
    packed = held(html.render(results(cell(framing="zstd"), cannot=(unable(), unable(peer="qpl", tried=False)))))

    [part] = packed.facts["parts"]
    row = [name for name, _, _ in part["rows"]].index("isal")
    assert part["blank"][f"{row},"] == "isal cannot send zstd: it knows DEFLATE only"
    assert packed.facts["unable"][1] == ["zstd", "qpl", "sender", "it knows DEFLATE only", False]


def test_an_artifact_is_packed_with_whether_it_may_be_linked() -> None:
    [artifacts] = held(html.render(results(cell(artifacts=("a/1 2.txt", "/etc/passwd")))))["artifacts"]

    assert artifacts == [["a/1 2.txt", True], ["/etc/passwd", False]]


def test_exhibits_are_read_beside_the_results(tmp_path: Path) -> None:
    (tmp_path / "pages.json").write_text('[{"block": "m", "first": 3, "count": 1, "holds": "older"}]')
    run = results(cell(artifacts=("pages.json",)))

    assert held(html.render(run, tmp_path))["pages"] == [[["m", 3, 1, "older"]]]
    assert held(html.render(run))["pages"] == [[]]


# What it lets nobody do.


def test_every_link_inside_has_its_target(large: str) -> None:
    page = Document(large)

    inside = {link[1:] for link in page.links if link.startswith("#") and not link.startswith("#?")}
    assert inside <= set(page.ids)


def test_no_id_appears_twice(large: str) -> None:
    page = Document(large)

    assert len(page.ids) == len(set(page.ids))


def test_text_of_others_becomes_no_markup_and_no_control_character() -> None:
    run = results(
        cell(id=HOSTILE, verdict="fail", kind="crash", reason=HOSTILE, error=HOSTILE, complaints=(HOSTILE,),
             reproduce=HOSTILE, artifacts=(HOSTILE,), aftermath=HOSTILE, sender=HOSTILE, issues=(HOSTILE,)),
        findings=(finding(id=HOSTILE, cause=HOSTILE, component=HOSTILE, upstream=HOSTILE, reproducer=HOSTILE),),
        cannot=(unable(reason=HOSTILE, peer=HOSTILE),),
    )  # fmt: skip

    text = html.render(run)

    assert "<script>alert" not in text
    assert not {"\x1b", "\u202e"} & set(text)
    packed = held(text)
    assert packed["error"] == ["<script>alert(1)</script>\\u001b[31m\\u202e"]
    assert not re.search("[\x01-\x08\x0b-\x1f\u202e]", str([packed.facts, *(packed[n] for n in ("id", "complaints"))]))


def test_the_policy_lets_run_the_one_script_and_the_one_style_and_nothing_else() -> None:
    text = html.render(results(cell()))

    [script] = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    [style] = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    hashes = [b64encode(sha256(part.encode()).digest()).decode() for part in (script, style)]
    assert Document(text).policy == (
        f"default-src 'none'; script-src 'sha256-{hashes[0]}'; style-src 'sha256-{hashes[1]}';"
        " base-uri 'none'; form-action 'none'"
    )


def test_the_file_stands_alone(large: str) -> None:
    page = Document(large)
    assert not {"link", "img", "iframe", "object", "embed", "base"} & set(page.tags)
    assert page.tags.count("script") == 2 and page.tags.count("style") == 1
    assert not re.search(
        r"url\(|@import|\sstyle=|\son[a-z]+=", re.sub(r"<script>.*</script>", "", large, flags=re.DOTALL)
    )


def test_a_cell_costs_less_than_two_hundred_bytes() -> None:
    run, empty = realistic(with_failures=False), results()

    assert len(html.render(run).encode()) - len(html.render(empty).encode()) < 200 * len(run.cells)


def test_what_the_cells_say_of_the_thread_counts_and_not_what_the_results_say_that_they_say() -> None:
    silent = results(cell())

    assert silent.answers == ()
    assert "Of what is said of the thread's questions: " in " ".join(Document(html.render(silent)).words)
