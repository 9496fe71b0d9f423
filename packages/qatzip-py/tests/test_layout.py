"""Which libraries are refused because their structures differ. Needs no library."""

from __future__ import annotations

import ctypes
from typing import Any

import pytest

from qatzip import LayoutError, abi
from qatzip.abi import DeflateExtParams, DeflateParams
from qatzip.layout import COMMON_DEFAULTS, DEFLATE_DEFAULTS, check_layout


def defaults(kind: type[ctypes.Structure], grown: int = 0, code: int = 0, **changed: int) -> Any:
    """A ``qzGetDefaults…`` function that writes the documented defaults, with these changes."""

    def write(address: int) -> int:
        written = kind.from_address(address)
        deflate = getattr(written, "deflate_params", written)
        for target, values in ((deflate.common_params, COMMON_DEFAULTS), (deflate, DEFLATE_DEFAULTS)):
            for field, value in values.items():
                setattr(target, field, changed.get(field, value))
        if kind is DeflateExtParams:
            written.stop_decompression_stream_end = changed.get("stop_decompression_stream_end", 0)
            written.zlib_format = changed.get("zlib_format", 0)
        ctypes.memset(address + ctypes.sizeof(kind), 0, grown)
        return code

    return write


PLAIN, EXTENDED = defaults(DeflateParams), defaults(DeflateExtParams)


def test_the_documented_defaults_are_accepted() -> None:
    check_layout(PLAIN, EXTENDED)


def test_a_library_without_the_extended_structure_is_checked_as_far_as_it_goes() -> None:
    check_layout(PLAIN, None)

    with pytest.raises(LayoutError, match="the default of hw_buff_sz is 9"):
        check_layout(defaults(DeflateParams, hw_buff_sz=9), None)


@pytest.mark.parametrize("field", [*COMMON_DEFAULTS, *DEFLATE_DEFAULTS])
def test_any_other_default_is_refused_by_name(field: str) -> None:
    with pytest.raises(LayoutError, match=rf"^libqatzip: the default of {field} is 7, expected \d+: "):
        check_layout(defaults(DeflateParams, **{field: 7}), EXTENDED)


@pytest.mark.parametrize("field", ["zlib_format", "stop_decompression_stream_end", "hw_buff_sz"])
def test_the_extended_structure_is_checked_as_well(field: str) -> None:
    with pytest.raises(LayoutError, match=rf"the default of {field} is 9"):
        check_layout(PLAIN, defaults(DeflateExtParams, **{field: 9}))


@pytest.mark.parametrize("grown", [1, 4, 100])
def test_a_structure_that_grew_is_refused(grown: int) -> None:
    with pytest.raises(LayoutError) as caught:
        check_layout(defaults(DeflateParams, grown=grown), EXTENDED)

    assert str(caught.value) == (
        f"libqatzip: the size that qzGetDefaultsDeflate() writes is {56 + grown}, expected at most 56 bytes:"
        " this library has another layout"
    )


def test_a_field_that_the_library_does_not_write_is_refused() -> None:
    with pytest.raises(LayoutError, match="the default of direction is 2779096485, expected 2"):
        check_layout(lambda address: 0, EXTENDED)


def test_a_library_that_refuses_to_tell_is_refused() -> None:
    with pytest.raises(LayoutError, match=r"qzGetDefaultsDeflate\(\) is -1, expected 0"):
        check_layout(defaults(DeflateParams, code=-1), EXTENDED)


@pytest.mark.parametrize(
    ("structure", "size"),
    [
        (abi.CommonParams, 48),
        (abi.DeflateParams, 56),
        (abi.DeflateExtParams, 60),
        (abi.SessionHandle, 40),
        (abi.StatusRecord, 544),
        (abi.StreamHandle, 56),
    ],
)
def test_structures_have_the_sizes_that_a_c_compiler_gives_the_header(
    structure: type[ctypes.Structure], size: int
) -> None:
    assert ctypes.sizeof(structure) == size
