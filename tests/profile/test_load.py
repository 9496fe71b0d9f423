"""Profiles: what is accepted, and the words in which the rest is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from multifd.errors import HarnessError, InputError
from multifd.lineup.introduce import resolve
from multifd.profile.load import load, shipped
from multifd.profile.model import Deadlines, PeerEntry, Profile, QemuEntry

NEITHER = "Value error, a peer has either codec (and parameters) or name and command; neither is complete"


def refusal(tmp_path: Path, text: str) -> str:
    """Why a profile with this text is refused, without the file's path."""
    path = tmp_path / "lab.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as error:
        load(str(path))
    return str(error.value).replace(f"profile {path}: ", "")


def test_a_codec_of_ours_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "lab.yaml"
    path.write_text("description: d\npeers: [{codec: zlib}]\n")

    assert load(str(path)) == Profile(description="d", peers=(PeerEntry(codec="zlib"),))


def test_everything_that_can_be_said(tmp_path: Path) -> None:
    path = tmp_path / "lab.yaml"
    path.write_text(
        "description: d\n"
        "peers:\n"
        "  - {codec: zlib, parameters: {level: 6, window: 12}, roles: [sender]}\n"
        "  - {name: lab-qat, command: [ssh, lab, qat-peer], environment: {QZ: '1'}, roles: [receiver]}\n"
        "qemu:\n"
        "  - found\n"
        "  - {command: [/opt/ld.so, /opt/qemu], environment: {LD_LIBRARY_PATH: /opt/lib}, name: qemu-lab}\n"
        "deadlines: {hello: 5, request: 2.5}\n"
    )

    assert load(str(path)) == Profile(
        description="d",
        peers=(
            PeerEntry(codec="zlib", parameters={"level": 6, "window": 12}, roles=("sender",)),
            PeerEntry(name="lab-qat", command=("ssh", "lab", "qat-peer"), environment={"QZ": "1"}, roles=("receiver",)),
        ),
        qemu=(
            "found",
            QemuEntry(
                command=("/opt/ld.so", "/opt/qemu"), environment={"LD_LIBRARY_PATH": "/opt/lib"}, name="qemu-lab"
            ),
        ),
        deadlines=Deadlines(hello=5.0, request=2.5),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "{description: d, peers: [{codec: zlib}], peer: 1}",
            "$.peer: unknown key; expected one of description, extends, peers, devices, variants, qemu, deadlines",
        ),
        (
            "{description: d, peers: [{codec: zlib}, {codec: zstd, level: 3}]}",
            "$.peers[1].level: unknown key; expected one of codec, parameters, name, command, environment, roles",
        ),
        (
            "{description: d, peers: [{codec: zlib}], deadlines: {decode: 3}}",
            "$.deadlines.decode: unknown key; expected one of hello, request",
        ),
        ("{peers: [{codec: zlib}]}", "$.description: Field required"),
        ("{description: d}", "$.peers: Field required"),
        (
            "{description: d, peers: []}",
            "$.peers: Tuple should have at least 1 item after validation, not 0 (given: [])",
        ),
        ("{description: d, peers: zlib}", "$.peers: Input should be a valid tuple (given: 'zlib')"),
        (
            "{description: d, peers: [zlib]}",
            "$.peers[0]: Input should be a valid dictionary or instance of PeerEntry (given: 'zlib')",
        ),
        (
            "{description: d, peers: [{codec: zlib, parameters: {level: high}}]}",
            "$.peers[0].parameters.level: Input should be a valid integer (given: 'high')",
        ),
        (
            "{description: d, peers: [{codec: zlib, roles: [both]}]}",
            "$.peers[0].roles[0]: Input should be 'sender' or 'receiver' (given: 'both')",
        ),
        (
            "{description: d, peers: [{codec: zlib, roles: []}]}",
            "$.peers[0].roles: Tuple should have at least 1 item after validation, not 0 (given: [])",
        ),
        (
            "{description: d, peers: [{codec: zlib}], deadlines: {hello: 0}}",
            "$.deadlines.hello: Input should be greater than or equal to 1 (given: 0)",
        ),
        (
            "{description: d, peers: [{codec: zlib}], deadlines: {hello: 0.00001, request: .inf}}",
            "$.deadlines.hello: Input should be greater than or equal to 1 (given: 1e-05);"
            " $.deadlines.request: Input should be less than or equal to 86400 (given: inf)",
        ),
        (
            "{description: d, peers: [{codec: zlib}], deadlines: {hello: .nan, request: 1.0e+300}}",
            "$.deadlines.hello: Input should be less than or equal to 86400 (given: nan);"
            " $.deadlines.request: Input should be less than or equal to 86400 (given: 1e+300)",
        ),
        (
            "{description: d, peers: [{codec: zlib}], deadlines: {hello: true, request: '5'}}",
            "$.deadlines.hello: Input should be a valid number (given: True);"
            " $.deadlines.request: Input should be a valid number (given: '5')",
        ),
        (
            "{description: d, peers: [{codec: zlib, parameters: {a: true, b: '3', c: 3.0}}]}",
            "$.peers[0].parameters.a: Input should be a valid integer (given: True);"
            " $.peers[0].parameters.b: Input should be a valid integer (given: '3');"
            " $.peers[0].parameters.c: Input should be a valid integer (given: 3.0)",
        ),
        (
            "{description: d, extends: auto, devices: {qat: {count: '1', parameters: {a: 3.0}, emulation: {b: true}}}}",
            "$.devices.qat.count: Input should be a valid integer (given: '1');"
            " $.devices.qat.parameters.a: Input should be a valid integer (given: 3.0);"
            " $.devices.qat.emulation.b: Input should be a valid integer (given: True)",
        ),
        (
            "{description: d, peers: [{name: mine, command: [x], environment: {A=B: x, '': y}}]}",
            r"$.peers[0].environment.A=B: String should match pattern '^[^=\x00]+$' (given: 'A=B');"
            r" $.peers[0].environment.: String should match pattern '^[^=\x00]+$' (given: '')",
        ),
        (
            "{description: d, extends: auto, qemu: [{command: [x], environment: {A=B: x}}]}",
            r"$.qemu[0].environment.A=B: String should match pattern '^[^=\x00]+$' (given: 'A=B')",
        ),
        (
            r'{description: d, extends: auto, qemu: [{command: ["\0"], environment: {A: "\0", "\0": b}}]}',
            r"$.qemu[0].command[0]: String should match pattern '^[^\x00]*$' (given: '\x00');"
            r" $.qemu[0].environment.A: String should match pattern '^[^\x00]*$' (given: '\x00');"
            " $.qemu[0].environment.\0:"
            r" String should match pattern '^[^=\x00]+$' (given: '\x00')",
        ),
        (
            r'{description: d, extends: auto, devices: {qat: {libraries: ["\0"]}}}',
            r"$.devices.qat.libraries[0]: String should match pattern '^[^\x00]*$' (given: '\x00')",
        ),
        (
            r'{description: d, extends: "\0", peers: [{codec: zlib}]}',
            r"$.extends: String should match pattern '^[^\x00]*$' (given: '\x00')",
        ),
        (
            "description: d\npeers: [{codec: zlib}]\npeers: [{codec: none}]",
            "is not YAML: line 3: key 'peers' is there already, in line 2",
        ),
        (
            "{description: d, peers: [{codec: zlib, name: mine}]}",
            "$.peers[0]: Value error, a peer has either codec (and parameters) or name and command, not both"
            " (given: {'codec': 'zlib', 'name': 'mine'})",
        ),
        (
            "{description: d, peers: [{codec: zlib, command: [x]}]}",
            "$.peers[0]: Value error, a peer has either codec (and parameters) or name and command, not both"
            " (given: {'codec': 'zlib', 'command': ['x']})",
        ),
        ("{description: d, peers: [{name: mine}]}", f"$.peers[0]: {NEITHER} (given: {{'name': 'mine'}})"),
        ("{description: d, peers: [{command: [x]}]}", f"$.peers[0]: {NEITHER} (given: {{'command': ['x']}})"),
        ("{description: d, peers: [{}]}", f"$.peers[0]: {NEITHER} (given: {{}})"),
        (
            "{description: d, peers: [{name: mine, command: []}]}",
            "$.peers[0].command: Tuple should have at least 1 item after validation, not 0 (given: [])",
        ),
        (
            "{description: 1, peers: []}",
            "$.description: Input should be a valid string (given: 1);"
            " $.peers: Tuple should have at least 1 item after validation, not 0 (given: [])",
        ),
        (
            "{description: 1, peers: [{codec: zlib, roles: [both]}]}",
            "$.description: Input should be a valid string (given: 1);"
            " $.peers[0].roles[0]: Input should be 'sender' or 'receiver' (given: 'both')",
        ),
        (
            "{description: d, peers: [{codec: zlib}], qemu: [lost]}",
            "$.qemu[0]: Input should be 'found' (given: 'lost')",
        ),
        (
            "{description: d, peers: [{codec: zlib}], qemu: [{command: []}]}",
            "$.qemu[0].command: Tuple should have at least 1 item after validation, not 0 (given: [])",
        ),
        (
            "{description: d, peers: [{codec: zlib}], qemu: [found, {command: [x], path: y}]}",
            "$.qemu[1].path: unknown key; expected one of command, environment, name",
        ),
        (
            "{description: d, peers: [{codec: zlib}], qemu: [{command: [x], environment: {entry: 1}}]}",
            "$.qemu[0].environment.entry: Input should be a valid string (given: 1)",
        ),
        (
            "{description: d, peers: [{codec: zlib}], qemu: [{command: [x], name: lab}]}",
            r"$.qemu[0].name: String should match pattern '^qemu-[A-Za-z0-9][A-Za-z0-9._+=,\[\]-]*$' (given: 'lab')",
        ),
        (
            "{description: d, peers: [{codec: zlib}], qemu: found}",
            "$.qemu: Input should be a valid tuple (given: 'found')",
        ),
        (
            "{description: d, peers: [{codec: zlib}], devices: {gpu: {policy: use}}}",
            "$.devices.gpu: unknown key; expected one of qat, iaa, kunpeng, others",
        ),
        (
            "{description: d, peers: [{codec: zlib}], devices: {iaa: {polcy: use}}}",
            "$.devices.iaa.polcy: unknown key; expected one of policy, path, count, libraries, parameters, emulation",
        ),
        (
            "{description: d, peers: [{codec: zlib}], devices: {others: {policy: want}}}",
            "$.devices.others.policy: Input should be 'require', 'use', 'emulate' or 'skip' (given: 'want')",
        ),
        (
            "{description: d, peers: [{codec: zlib}], devices: [iaa]}",
            "$.devices: Input should be a valid dictionary (given: ['iaa'])",
        ),
        (
            "{description: d, peers: [{codec: zlib}], variants: {qpl: [{parameters: {}}]}}",
            "$.variants.qpl[0].parameters: Dictionary should have at least 1 item after validation, not 0 (given: {})",
        ),
        (
            "{description: d, peers: [{codec: zlib}], variants: {qpl: [{level: 3}]}}",
            "$.variants.qpl[0].parameters: Field required; "
            "$.variants.qpl[0].level: unknown key; expected one of parameters, roles",
        ),
        (
            "{description: d, peers: [{codec: zlib}], variants: {qpl: [{parameters: {path: 1}}]}}",
            "$.variants.qpl[0]: Value error, a variant runs on the path of its device: devices.<kind>.path says which"
            " (given: {'parameters': {'path': 1}})",
        ),
        (
            "{description: d, peers: [{codec: zlib}], variants: {zlib: []}}",
            "$.variants.zlib: unknown key; expected one of qatzip, qat-emulated, qpl, iaa-emulated, uadk-emulated",
        ),
        (
            "{description: d, extends: [auto]}",
            "$.extends: Input should be a valid string (given: ['auto']); $.peers: Field required",
        ),
        ("{extends: auto}", "$.description: Field required"),
        (
            "{description: d, extends: autos}",
            f"$.extends: 'autos' is neither a file nor one of {', '.join(shipped())}",
        ),
        ("{description: d, extends: lab.yaml}", "$.extends: 'lab.yaml' extends this one"),
        ("", "$: Input should be a valid dictionary or instance of Profile (given: None)"),
        ("zlib", "$: Input should be a valid dictionary or instance of Profile (given: 'zlib')"),
        (
            "{description: d, peers: {2024-02-29: zlib}}",
            "$.peers: Input should be a valid tuple (given: {datetime.date(2024, 2, 29): 'zlib'})",
        ),
        (
            "description: &loop [*loop]\npeers: [{codec: zlib}]",
            "$.description: Input should be a valid string (given: [[[[[[[...]]]]]]])",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    assert refusal(tmp_path, text) == message


def of(directory: Path, **texts: str) -> dict[str, Path]:
    """Profiles by name, each in its file."""
    paths = {name: directory / f"{name}.yaml" for name in texts}
    for name, text in texts.items():
        paths[name].write_text(text, encoding="utf-8")
    return paths


def test_a_profile_that_extends_another_has_its_keys_where_it_has_none(tmp_path: Path) -> None:
    paths = of(
        tmp_path,
        base="{description: b, peers: [{codec: zlib}], devices: {qat: {policy: skip}}, qemu: [found]}",
        lab="{description: d, extends: base.yaml, devices: {iaa: {policy: emulate}}}",
    )

    base, lab = load(str(paths["base"])), load(str(paths["lab"]))

    assert (lab.description, lab.peers, lab.qemu) == ("d", base.peers, base.qemu)
    assert list(lab.devices) == ["iaa"]


def test_a_shipped_profile_is_extended_by_its_name(tmp_path: Path) -> None:
    path = of(tmp_path, lab="{description: d, extends: auto}")["lab"]

    assert load(str(path)).peers == load("auto").peers


def test_a_profile_may_extend_one_that_extends_another(tmp_path: Path) -> None:
    paths = of(
        tmp_path,
        a="{description: a, peers: [{codec: zlib}], deadlines: {hello: 1}}",
        b="{description: b, extends: a.yaml, deadlines: {hello: 2}}",
        c="{description: c, extends: b.yaml}",
    )

    last = load(str(paths["c"]))

    assert (last.peers, last.deadlines.hello) == ((PeerEntry(codec="zlib"),), 2.0)


def test_what_is_wrong_is_named_in_the_file_that_has_it(tmp_path: Path) -> None:
    paths = of(
        tmp_path,
        base="{description: b, peers: [{codec: zlib, roles: []}]}",
        lab="{description: d, extends: base.yaml, peers: [{codec: zstd}]}",
    )

    with pytest.raises(InputError) as error:
        load(str(paths["lab"]))

    assert str(error.value).startswith(f"profile {paths['base']}: $.peers[0].roles: ")


def test_profiles_that_extend_each_other_are_refused(tmp_path: Path) -> None:
    paths = of(tmp_path, a="{description: a, extends: b.yaml}", b="{description: b, extends: a.yaml}")

    with pytest.raises(InputError) as error:
        load(str(paths["a"]))

    assert str(error.value) == f"profile {paths['b']}: $.extends: 'a.yaml' extends this one"


def test_more_than_twenty_that_extend_the_next_are_refused(tmp_path: Path) -> None:
    for number in range(22):
        (tmp_path / f"{number}.yaml").write_text(f"{{description: d, extends: {number + 1}.yaml}}")

    with pytest.raises(
        InputError, match=r"20\.yaml: \$\.extends: '21\.yaml': more than 20 profiles each extend the next"
    ):
        load(str(tmp_path / "0.yaml"))


def test_a_link_that_leads_to_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")

    assert refusal(tmp_path, "{description: d, extends: loop.yaml}").endswith("Too many levels of symbolic links")


def test_a_pipe_and_a_file_without_end_are_no_profile(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "long").open("wb") as long:
        long.truncate((1 << 20) + 1)

    for name, why in (("pipe", "is no regular file"), ("long", "has more than 1024 KiB")):
        with pytest.raises(InputError, match=f"profile .*{name}: {why}"):
            load(str(tmp_path / name))


def test_of_many_problems_the_first_are_told(tmp_path: Path) -> None:
    keys = "".join(f"key{number}: 1\n" for number in range(100))

    told = refusal(tmp_path, f"description: d\npeers: [{{codec: zlib}}]\n{keys}")

    assert told.count("unknown key") == 20
    assert told.endswith("; and 80 more")


def test_what_is_given_is_told_in_part(tmp_path: Path) -> None:
    lists = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))

    told = refusal(tmp_path, f"a0: &a0 x\n{lists}description: d\npeers: *a11\n")

    assert "$.peers[0]: Input should be a valid dictionary" in told
    assert len(told) < 5000


def test_no_more_peers_than_can_be_started(tmp_path: Path) -> None:
    told = refusal(tmp_path, "description: d\npeers:\n" + "- codec: zlib\n" * 257)

    assert told.startswith("$.peers: Tuple should have at most 256 items after validation, not 257")


@pytest.mark.parametrize("name", ["a/b", "a~b", "two words", "ä", "", "-x", "x\\n"])
def test_the_name_of_a_peer_must_fit_the_id_of_a_cell(tmp_path: Path, name: str) -> None:
    message = refusal(tmp_path, f'{{description: d, peers: [{{name: "{name}", command: [x]}}]}}')

    assert message.startswith("$.peers[0].name: String should match pattern ")


@pytest.mark.parametrize("name", ["qemu-10.2", "zlib[level=9,window=12]", "iaa_2+sw"])
def test_the_name_of_a_peer_may_look_like_ours(name: str) -> None:
    assert PeerEntry(name=name, command=("x",)).name == name


def test_what_is_not_yaml_is_refused(tmp_path: Path) -> None:
    message = refusal(tmp_path, "peers: [")

    assert message.startswith("is not YAML: while parsing a flow node")
    assert "\n" not in message


def test_what_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lab.yaml"
    path.write_bytes(b"description: \xff")

    with pytest.raises(InputError) as error:
        load(str(path))

    assert str(error.value).startswith(f"profile {path}: is not YAML: 'utf-8' codec can't decode byte 0xff")


def test_a_name_that_is_neither_shipped_nor_a_file() -> None:
    with pytest.raises(InputError) as error:
        load("no-such-profile")

    known = f"profile 'no-such-profile' is neither a file nor one of {', '.join(shipped())}"
    assert str(error.value).startswith(f"{known}; the nearest are ")


def test_a_directory_is_no_profile(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        load(str(tmp_path))

    assert str(error.value) == f"profile {tmp_path}: cannot read: Is a directory"


def test_a_name_that_no_file_can_have() -> None:
    with pytest.raises(InputError) as error:
        load("x" * 300)

    assert str(error.value) == f"profile {'x' * 300}: cannot read: File name too long"


def test_profiles_are_shipped() -> None:
    assert set(shipped()) >= {"auto", "software-only"}


def test_the_peers_of_shipped_profiles_stand_in_one_file() -> None:
    contents = {name: yaml.safe_load(path.read_text(encoding="utf-8")) for name, path in shipped().items()}

    assert [name for name, content in contents.items() if "peers" in content] == ["auto"]


def test_a_project_without_profiles_is_our_defect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("multifd.profile.load.DIRECTORY", tmp_path)

    with pytest.raises(HarnessError) as error:
        shipped()

    assert str(error.value) == f"{tmp_path}: holds no profiles (*.yaml)"


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_profile_loads_and_its_codecs_exist(name: str) -> None:
    line_up = resolve(name, load(name), None)

    assert line_up.senders()
    assert line_up.receivers()
