"""Profiles: what is accepted, and the words in which the rest is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from multifd.codec import factories
from multifd.errors import HarnessError, InputError
from multifd.lineup.devices import device_peers
from multifd.lineup.introduce import resolve
from multifd.profile import schema
from multifd.profile.load import load, shipped
from multifd.profile.model import Deadlines, Devices, PeerEntry, Profile, QemuEntry

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
            "$.peer: unknown key; expected one of description, peers, devices, qemu, deadlines",
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
            "$.peers[0].parameters.level: Input should be a valid integer, unable to parse string as an integer"
            " (given: 'high')",
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
            "$.deadlines.hello: Input should be greater than 0 (given: 0)",
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

    assert str(error.value) == f"profile 'no-such-profile' is neither a file nor one of {', '.join(shipped())}"


def test_a_directory_is_no_profile(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        load(str(tmp_path))

    assert str(error.value) == f"profile {tmp_path}: cannot read: Is a directory"


def test_a_name_that_no_file_can_have() -> None:
    with pytest.raises(InputError) as error:
        load("x" * 300)

    assert str(error.value) == f"profile {'x' * 300}: cannot read: File name too long"


def profile(*peers: dict[str, Any]) -> Profile:
    return Profile.model_validate({"description": "d", "peers": list(peers)})


@pytest.mark.parametrize(
    ("peer", "message"),
    [
        (
            {"codec": "lz4"},
            f"codec: 'lz4' is unknown; expected one of {', '.join(factories())}",
        ),
        ({"codec": "zlib", "parameters": {"level": 10}}, "parameters: codec zlib: level is 10; expected 0 to 9"),
        (
            {"codec": "zlib", "parameters": {"depth": 1}},
            "parameters: codec zlib: parameter 'depth' is unknown; expected one of level, window",
        ),
        (
            {"codec": "none", "parameters": {"level": 1}},
            "parameters: codec none: parameter 'level' is unknown; expected one of none",
        ),
    ],
)
def test_a_codec_that_we_do_not_have_is_refused(peer: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        resolve("lab", profile({"codec": "zstd"}, peer), None)

    assert str(error.value) == f"profile lab: $.peers[1].{message}"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            {"policy": "emulate", "emulation": {"device": 2}},
            "emulation: codec uadk-emulated: device is 2; expected 0 to 1",
        ),
        (
            {"policy": "emulate", "emulation": {"engines": 1}},
            "emulation: codec uadk-emulated: parameter 'engines' is unknown; expected one of device",
        ),
    ],
)
def test_a_setting_that_a_device_does_not_have_is_refused(entry: dict[str, Any], message: str) -> None:
    lab = profile({"codec": "zlib"}).model_copy(update={"devices": Devices.model_validate({"kunpeng": entry})})

    with pytest.raises(InputError) as error:
        resolve("lab", lab, None, device_peers(lab, []))

    assert str(error.value) == f"profile lab: $.devices.kunpeng.{message}"


def test_a_peer_appears_once() -> None:
    twice = profile({"codec": "zlib"}, {"codec": "zstd"}, {"codec": "zlib", "parameters": {"level": 1}})

    with pytest.raises(InputError) as error:
        resolve("lab", twice, None)

    assert str(error.value) == "profile lab: peers zlib appear more than once; give them different names"


def test_profiles_are_shipped() -> None:
    assert set(shipped()) >= {"auto", "software-only"}


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


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_profile_is_valid_by_the_published_schema(name: str) -> None:
    published = json.loads(schema.PATH.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(published)

    jsonschema.validate(yaml.safe_load(shipped()[name].read_text(encoding="utf-8")), published)


@pytest.mark.parametrize(
    "content",
    [{}, {"description": "d", "peers": []}, {"description": "d", "peers": [{"codec": "zlib", "level": 1}]}],
)
def test_the_published_schema_refuses_what_the_model_refuses(content: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, schema.schema())


def test_the_published_schema_is_the_models() -> None:
    """If this fails: ``python -m multifd.profile.schema``."""
    assert schema.PATH.read_text(encoding="utf-8") == schema.text()
