"""The codec over qatzip-py: the traps of libqatzip that it makes visible, tried with a binding over the model of it."""

from __future__ import annotations

import ctypes
import sys
import threading
import zlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final

import pytest

from multifd.codec import create
from multifd.codec.silicon import libqatzip, libqatzip_stream
from multifd.codec.silicon.libqatzip import Device
from multifd.codec.silicon.qat import Engine
from multifd.errors import EnvironmentBroke, InputError, PayloadError, Unsupported
from multifd.framing.coder import Codec, StreamDecoder, StreamEncoder, compressor_of, decompressor_of
from multifd.framing.container import Container

PAGE: Final = 4096
TEXT: Final = (b"all work and no play makes a dull page, " * 103)[:PAGE]
CONTAINERS: Final = (Container.GZIP_EXT, Container.GZIP, Container.RAW, Container.FOUR_B, Container.ZLIB)


class QatzipError(Exception):
    """As qatzip.QatzipError."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"qzInit: {name} (-101)")


class LibraryNotFoundError(OSError):
    """As qatzip.LibraryNotFoundError."""


class Session:
    """As qatzip.Session, over the model."""

    made: Final[list[Session]] = []
    devices: Device = Device.ABSENT

    def __init__(self, parameters: dict[str, Any]) -> None:
        if Session.devices is Device.ABSENT and not parameters["sw_backup"]:
            raise QatzipError("QZ_NOSW_NO_HW")
        self.parameters = parameters
        self.hardware = Session.devices is Device.READY
        self.handle = ctypes.c_int()
        self.resets = -1
        self.reset()
        Session.made.append(self)

    def reset(self) -> None:
        self.resets += 1
        parameters = libqatzip.Parameters(
            container=Container(self.parameters["format"]),
            level=self.parameters["level"],
            buffer=self.parameters["hw_buff_sz"],
            device=Session.devices,
        )
        self.model = libqatzip.Session(parameters, Engine())

    def max_compressed_length(self, size: int) -> int:
        return 2 * size + 1024

    def compress_into(self, data: bytes, destination: bytearray, last: bool = True) -> tuple[int, int]:
        return self._taken(self.model.compress(data, last=last), destination)

    def decompress_into(self, data: memoryview, destination: bytearray) -> tuple[int, int]:
        return self._taken(self.model.decompress(bytes(data), len(destination)), destination)

    def _taken(self, answer: libqatzip.Answer, destination: bytearray) -> tuple[int, int]:
        if answer.code != "QZ_OK":
            raise QatzipError(answer.code)
        destination[: len(answer.output)] = answer.output
        return answer.consumed, len(answer.output)


class Stream:
    """As qatzip.Stream, over the model."""

    def __init__(self, session: Session) -> None:
        self.model = libqatzip_stream.Stream(session.model, session.parameters["strm_buff_sz"])

    @property
    def pending_in(self) -> int:
        return self.model.pending_in

    def decompress_into(self, data: bytes, destination: bytearray, last: bool) -> tuple[int, int]:
        answer = self.model.decompress(bytes(data), len(destination), last=last)
        if answer.code != "QZ_OK":
            raise QatzipError(answer.code)
        destination[: len(answer.output)] = answer.output
        return answer.consumed, len(answer.output)

    def close(self) -> None:
        pass


def end_of_stream(session: Any, ended: Any) -> int:
    """As qzGetDeflateEndOfStream; the session is found by its handle."""
    (found,) = (each for each in Session.made if each.handle is session._obj)
    ended._obj.value = found.model.ended
    return 0


def module(**changes: Any) -> SimpleNamespace:
    plain = {
        "QatzipError": QatzipError,
        "LibraryNotFoundError": LibraryNotFoundError,
        "LayoutError": RuntimeError,
        "Parameters": dict,
        "Session": Session,
        "Stream": Stream,
        "load": lambda: SimpleNamespace(qzGetDeflateEndOfStream=end_of_stream),
    }
    return SimpleNamespace(**plain | changes)


@pytest.fixture(autouse=True)
def binding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "qatzip", module())
    monkeypatch.setitem(sys.modules, "qatzip.abi", SimpleNamespace(API_VERSION=(2, 6)))
    monkeypatch.setattr(Session, "devices", Device.ABSENT)
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

    assert (codec.provenance, codec.device, codec.version) == ("vendor-software", "QAT", "2.6 (API)")
    assert codec.encoder is not None
    assert (codec.encoder.member, codec.encoder.whole_below) == (None, 0)


def test_with_a_device_it_is_hardware_that_writes_members(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Session, "devices", Device.READY)

    codec = create("qatzip", {"buffer": 16, "threshold": 32 << 10})

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
    }


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
    message = broken(lambda: create("qatzip", {"backup": 0}))

    assert message == "qatzip[backup=0]: qzInit: QZ_NOSW_NO_HW (-101)"


def test_a_missing_binding_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "qatzip", None)

    message = broken(lambda: create("qatzip"))

    assert message == "codec qatzip: the package qatzip-py is not installed: pip install packages/qatzip-py"


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
