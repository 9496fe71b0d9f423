"""The codec over qatzip-py: the traps of libqatzip that it makes visible, tried with a binding over the model of it."""

from __future__ import annotations

import sys
import threading
import zlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

import pytest

from multifd.codec import create
from multifd.codec.binding import VERSION
from multifd.codec.silicon import libqatzip, libqatzip_stream
from multifd.codec.silicon.libqatzip import Device
from multifd.codec.silicon.qat import Engine
from multifd.errors import EnvironmentBroke, InputError, PayloadError, Unsupported
from multifd.framing.coder import (
    Codec,
    Routed,
    StreamDecoder,
    StreamEncoder,
    Tally,
    compressor_of,
    decompressor_of,
)
from multifd.framing.container import Container

PAGE: Final = 4096
TEXT: Final = (b"all work and no play makes a dull page, " * 103)[:PAGE]
CONTAINERS: Final = (Container.GZIP_EXT, Container.GZIP, Container.RAW, Container.FOUR_B, Container.ZLIB)


class QatzipError(Exception):
    """As qatzip.QatzipError."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"qzInit: {name} (-101)")


class Release(NamedTuple):
    """As qatzip.Release."""

    text: str
    file: str

    def __str__(self) -> str:
        return self.text

    @property
    def numbers(self) -> tuple[int, ...]:
        return tuple(map(int, self.text.split(".")))


class LibraryNotFoundError(OSError):
    """As qatzip.LibraryNotFoundError."""


class Session:
    """As qatzip.Session, over the model."""

    made: Final[list[Session]] = []
    devices: Device = Device.ABSENT

    def __init__(self, parameters: dict[str, Any], path: str) -> None:
        if Session.devices is Device.ABSENT and (path == "hardware" or not parameters["sw_backup"]):
            raise QatzipError("QZ_NO_HW" if parameters["sw_backup"] else "QZ_NOSW_NO_HW")
        self.parameters = parameters
        self.path = path
        self.hardware = Session.devices is Device.READY and path != "software"
        self.read_by_device = 0
        self.ran_in_software = False
        self.resets = -1
        self.reset()
        Session.made.append(self)

    def reset(self) -> None:
        self.resets += 1
        parameters = libqatzip.Parameters(
            container=Container(self.parameters["format"]),
            level=self.parameters["level"],
            buffer=self.parameters["hw_buff_sz"],
            threshold=self.parameters["input_sz_thrshold"],
            device=Device.READY if self.hardware else Device.ABSENT,
        )
        self.model = libqatzip.Session(parameters, Engine())

    @property
    def stream_ended(self) -> bool:
        return self.model.ended

    def max_compressed_length(self, size: int) -> int:
        return 2 * size + 1024

    def compress_into(self, data: bytes, destination: bytearray, last: bool = True) -> tuple[int, int]:
        return self.taken(self.model.compress(data, last=last), destination)

    def decompress_into(self, data: memoryview, destination: bytearray) -> tuple[int, int]:
        return self.taken(self.model.decompress(bytes(data), len(destination)), destination)

    def taken(self, answer: libqatzip.Answer, destination: bytearray) -> tuple[int, int]:
        self.read_by_device, self.model.total_in = self.model.total_in, 0
        self.ran_in_software = self.hardware and not self.read_by_device
        if answer.code != "QZ_OK":
            raise QatzipError(answer.code)
        destination[: len(answer.output)] = answer.output
        return answer.consumed, len(answer.output)


class Stream:
    """As qatzip.Stream, over the model."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.model = libqatzip_stream.Stream(session.model, session.parameters["strm_buff_sz"])

    @property
    def pending_in(self) -> int:
        return self.model.pending_in

    def decompress_into(self, data: bytes, destination: bytearray, last: bool) -> tuple[int, int]:
        return self.session.taken(self.model.decompress(bytes(data), len(destination), last=last), destination)

    def close(self) -> None:
        pass


class Instances:
    """As qatzip.Instances."""

    completed: int | None = None


def module(**changes: Any) -> SimpleNamespace:
    plain = {
        "__version__": VERSION,
        "QatzipError": QatzipError,
        "LibraryNotFoundError": LibraryNotFoundError,
        "LayoutError": RuntimeError,
        "Parameters": dict,
        "Session": Session,
        "Stream": Stream,
        "Instances": Instances,
        "load": lambda: None,
        "release": lambda: Release("2.0.0", "/lib/libqatzip.so.3.3.0"),
        "lacking": frozenset,
        "formats": lambda: ("gzip-ext", "gzip", "raw", "4B", "zlib"),
    }
    return SimpleNamespace(**plain | changes)


@pytest.fixture(autouse=True)
def binding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "qatzip", module())
    monkeypatch.setattr(Session, "devices", Device.ABSENT)
    monkeypatch.setattr(Instances, "completed", None)
    Session.made.clear()


def payload(container: Container, data: bytes = TEXT) -> bytes:
    return bytes(create("qat-emulated").compress(data, container, 15))


def refused(codec: Codec, data: bytes, size: int = PAGE) -> str:
    with pytest.raises(PayloadError) as caught:
        codec.decompress(data, Container.GZIP_EXT, size)
    return str(caught.value)


def broken(make: Callable[[], object]) -> str:
    with pytest.raises(EnvironmentBroke) as caught:
        make()
    return str(caught.value)


def test_without_a_device_it_is_the_vendors_software() -> None:
    codec = create("qatzip")

    assert (codec.provenance, codec.device, codec.version) == ("vendor-software", "QAT", "2.0.0")
    assert codec.encoder is not None
    assert (codec.encoder.member, codec.encoder.whole_below) == (None, 0)


def test_with_a_device_it_is_hardware_that_writes_members(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Session, "devices", Device.READY)

    codec = create("qatzip", {"path": 1, "buffer": 16, "threshold": 32 << 10})

    assert codec.provenance == "hardware"
    assert codec.encoder is not None
    assert (codec.encoder.member, codec.encoder.whole_below) == (16 << 10, 32 << 10)


@pytest.mark.parametrize("container", CONTAINERS)
def test_it_reads_what_it_writes(container: Container) -> None:
    codec = create("qatzip")

    written = codec.compress(TEXT, container, 15)

    assert bytes(codec.decompress(written, container, PAGE)) == TEXT


def test_level_and_buffer_are_the_sessions() -> None:
    create("qatzip", {"level": 6, "buffer": 128})

    assert Session.made[0].parameters == {
        "format": "gzip-ext",
        "level": 6,
        "hw_buff_sz": 128 << 10,
        "sw_backup": True,
        "input_sz_thrshold": 1024,
        "strm_buff_sz": 64 << 10,
        "polling": "periodical",
        "req_cnt_thrshold": 32,
        "max_forks": 3,
        "wait_cnt_thrshold": 8,
    }


def test_how_the_library_waits_and_forks_is_the_sessions() -> None:
    create("qatzip", {"polling": 1, "requests": 4, "forks": 0, "wait": 100})

    found = Session.made[0].parameters
    assert [found[name] for name in ("polling", "req_cnt_thrshold", "max_forks", "wait_cnt_thrshold")] == [
        "busy",
        4,
        0,
        100,
    ]


def test_path_software_is_software_whatever_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Session, "devices", Device.READY)

    codec = create("qatzip", {"path": 2})

    assert (codec.provenance, Session.made[0].path) == ("vendor-software", "software")


def test_path_hardware_without_a_device_is_no_codec_and_the_library_says_why() -> None:
    message = broken(lambda: create("qatzip", {"path": 1}))

    assert message == "qatzip[path=1]: qzInit: QZ_NO_HW (-101)"


def told(codec: Codec) -> Tally:
    assert isinstance(codec, Routed)
    return codec.tally()


def test_in_software_there_is_nothing_that_a_library_counts() -> None:
    codec = create("qatzip")

    codec.compress(TEXT, Container.GZIP_EXT, 15)

    assert (told(codec).device, told(codec).software) == (None, 0)


def test_what_the_library_counted_of_its_calls_is_added_up_over_threads_and_sessions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Session, "devices", Device.READY)
    codec = create("qatzip", {"path": 1})

    def compress() -> None:
        for container in (Container.GZIP_EXT, Container.RAW):
            codec.compress(TEXT, container, 15)

    threads = [threading.Thread(target=compress) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert told(codec) == Tally(
        source="bytes of input of the calls that libqatzip took to a device (total_in of all sessions)",
        unit="bytes",
        device=8 * PAGE,
    )


def test_what_a_session_counted_outlives_its_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Session, "devices", Device.READY)
    codec = create("qatzip", {"path": 1})
    codec.compress(TEXT, Container.GZIP_EXT, 15)
    before = told(codec).device

    refused(codec, b"no gzip at all")

    assert (before, told(codec).device) == (PAGE, PAGE)


def test_a_call_of_which_the_device_was_given_nothing_is_softwares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Session, "devices", Device.READY)
    codec = create("qatzip", {"path": 1, "threshold": PAGE + 1})

    codec.compress(TEXT, Container.GZIP_EXT, 15)

    assert (told(codec).device, told(codec).software) == (0, 1)


def test_of_a_stream_the_writers_bytes_are_the_devices_and_the_readers_call_is_softwares(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Session, "devices", Device.READY)
    codec = create("qatzip", {"path": 1, "stream": 1})
    writer, reader = compressor_of(codec, Container.RAW, 15), decompressor_of(codec, Container.RAW)

    reader.decompress(writer.compress(TEXT), PAGE)

    assert (told(codec).device, told(codec).software) == (PAGE, 1)


def test_libqats_jobs_are_better_evidence_than_libqatzips_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Session, "devices", Device.READY)
    monkeypatch.setattr(Instances, "completed", 7)
    codec = create("qatzip", {"path": 1})

    codec.compress(TEXT, Container.GZIP_EXT, 15)

    assert (told(codec).unit, told(codec).device) == ("jobs", 7)


def test_bytes_for_a_device_and_never_a_job_of_libqats_say_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Session, "devices", Device.READY)
    monkeypatch.setattr(Instances, "completed", 0)
    codec = create("qatzip", {"path": 1})
    before = told(codec).device

    codec.compress(TEXT, Container.GZIP_EXT, 15)

    assert (before, told(codec).device) == (0, None)


def old(monkeypatch: pytest.MonkeyPatch) -> None:
    """As libqatzip 1.1.2."""
    lacking = frozenset({"qzGetDeflateEndOfStream", "qzSetupSessionDeflateExt"})
    changes = {
        "release": lambda: Release("1.1.2", "/lib/libqatzip.so.3.0.2"),
        "lacking": lambda: lacking,
        "formats": lambda: ("gzip-ext", "gzip", "raw", "4B"),
    }
    monkeypatch.setitem(sys.modules, "qatzip", module(**changes))


def test_an_old_library_is_used_as_far_as_it_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    old(monkeypatch)

    codec = create("qatzip", {"stream": 1})

    assert codec.encoder is not None and codec.decoder is not None
    assert codec.version == "1.1.2"
    assert Container.ZLIB not in codec.encoder.containers | codec.decoder.containers | codec.decoder.members
    assert (codec.decoder.needs_end, codec.decoder.streaming) == (False, False)
    assert isinstance(codec, Routed)
    assert not codec.routing.raw


def test_an_old_library_cannot_be_asked_for_the_end_so_the_output_must_be_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old(monkeypatch)
    codec = create("qatzip")

    assert bytes(codec.decompress(payload(Container.GZIP_EXT)[:-8], Container.GZIP_EXT, PAGE)) == TEXT
    assert "incomplete or truncated" in refused(codec, payload(Container.GZIP_EXT)[:40])


def test_an_old_library_never_goes_on_where_a_stream_had_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    old(monkeypatch)
    codec = create("qatzip")
    codec.decompress(payload(Container.GZIP_EXT)[:-8], Container.GZIP_EXT, PAGE)

    assert bytes(codec.decompress(payload(Container.GZIP_EXT), Container.GZIP_EXT, PAGE)) == TEXT


def test_a_missing_trailer_is_refused_although_the_library_has_every_byte() -> None:
    codec = create("qatzip")

    message = refused(codec, payload(Container.GZIP_EXT)[:-1])

    assert message == "qatzip: qzDecompress failed: incomplete or truncated stream"


def test_nothing_is_refused_although_the_library_still_knows_an_end() -> None:
    codec = create("qatzip")
    codec.decompress(payload(Container.GZIP_EXT), Container.GZIP_EXT, PAGE)

    message = refused(codec, b"")

    assert message == "qatzip: qzDecompress failed: incomplete or truncated stream"


def test_after_an_unfinished_stream_the_session_is_set_up_again() -> None:
    codec = create("qatzip")

    refused(codec, payload(Container.GZIP_EXT)[:-20])

    assert [session.resets for session in Session.made] == [1]
    assert bytes(codec.decompress(payload(Container.GZIP_EXT), Container.GZIP_EXT, PAGE)) == TEXT


def test_after_an_error_the_session_is_set_up_again() -> None:
    codec = create("qatzip")

    message = refused(codec, b"no gzip at all")

    assert message == "qatzip: qzDecompress failed: QZ_DATA_ERROR"
    assert bytes(codec.decompress(payload(Container.GZIP_EXT), Container.GZIP_EXT, PAGE)) == TEXT


def test_more_than_asked_for_is_refused() -> None:
    message = refused(create("qatzip"), payload(Container.GZIP_EXT), PAGE - 1)

    assert message.startswith("qatzip: qzDecompress failed: more than the expected 4095 bytes, ")


def test_every_thread_and_container_has_a_session_of_its_own() -> None:
    codec = create("qatzip")

    thread = threading.Thread(target=codec.compress, args=(TEXT, Container.GZIP_EXT, 15))
    thread.start()
    thread.join()
    codec.compress(TEXT, Container.RAW, 15)

    assert [session.parameters["format"] for session in Session.made] == ["gzip-ext", "gzip-ext", "raw"]


def test_without_device_and_backup_the_environment_is_broken() -> None:
    message = broken(lambda: create("qatzip", {"path": 0, "backup": 0}))

    assert message == "qatzip[path=0,backup=0]: qzInit: QZ_NOSW_NO_HW (-101)"


def test_a_missing_binding_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "qatzip", None)

    message = broken(lambda: create("qatzip"))

    assert message == "codec qatzip: the package qatzip-py is not installed: pip install packages/qatzip-py"


def test_a_binding_that_is_too_old_is_no_codec(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "qatzip", module(__version__="0.1.0"))

    assert broken(lambda: create("qatzip")) == (
        f"codec qatzip: the package qatzip-py is 0.1.0, expected {VERSION}: pip install packages/qatzip-py"
    )


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def load() -> None:
        raise LibraryNotFoundError("libqatzip cannot be loaded")

    monkeypatch.setitem(sys.modules, "qatzip", module(load=load))

    assert broken(lambda: create("qatzip")) == "codec qatzip: libqatzip cannot be loaded"


def test_a_buffer_is_a_power_of_two() -> None:
    with pytest.raises(InputError) as caught:
        create("qatzip", {"buffer": 3})

    assert str(caught.value) == "codec qatzip: buffer is 3; expected one of 1, 2, 4, 8, 16, 32, 64, 128, 256, 512"


def test_it_has_no_streams() -> None:
    codec = create("qatzip")

    assert codec.encoder is not None and codec.decoder is not None
    assert (codec.encoder.streaming, isinstance(codec, StreamEncoder)) == (False, False)
    assert (codec.decoder.streaming, isinstance(codec, StreamDecoder)) == (False, False)


STREAMED: Final = (Container.ZLIB, Container.RAW, Container.GZIP, Container.GZIP_EXT)


@pytest.mark.parametrize("collect", [1, 64])
@pytest.mark.parametrize("container", STREAMED)
def test_a_stream_that_it_writes_is_read_packet_by_packet(container: Container, collect: int) -> None:
    codec = create("qatzip", {"stream": 1, "collect": collect})
    writer, reader = compressor_of(codec, container, 15), decompressor_of(codec, container)
    packets = [TEXT, TEXT * 40, bytes(PAGE), TEXT[::-1]]

    read = [bytes(reader.decompress(writer.compress(each) + writer.sync(), len(each))) for each in packets]

    assert (read, reader.ended) == (packets, False)


def test_a_stream_that_ends_is_seen_to_end() -> None:
    reader = decompressor_of(create("qatzip", {"stream": 1}), Container.ZLIB)

    output = reader.decompress(zlib.compress(TEXT), PAGE)

    assert (bytes(output), reader.ended) == (TEXT, True)


def test_more_of_a_stream_than_asked_for_is_refused() -> None:
    reader = decompressor_of(create("qatzip", {"stream": 1}), Container.ZLIB)

    with pytest.raises(
        PayloadError, match=r"^qatzip\[stream=1\]: qzDecompressStream failed: more than the expected 100"
    ):
        reader.decompress(zlib.compress(TEXT), 100)


def test_what_is_no_stream_is_refused_in_the_librarys_words() -> None:
    reader = decompressor_of(create("qatzip", {"stream": 1}), Container.ZLIB)

    with pytest.raises(PayloadError, match=r"^qatzip\[stream=1\]: qzDecompressStream failed: QZ_DATA_ERROR$"):
        reader.decompress(b"no zlib at all", PAGE)


def test_4b_whose_header_has_the_length_has_no_streams() -> None:
    with pytest.raises(Unsupported, match="container 4B has no streams that can be flushed"):
        compressor_of(create("qatzip", {"stream": 1}), Container.FOUR_B, 15)
