"""No compression."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from multifd.codec import create
from multifd.errors import HarnessError
from multifd.framing.container import Container
from tests.codec.deflates import PAGE, TEXT


def test_pages_of_container_none_are_never_coded() -> None:
    codec = create("none")
    calls: tuple[Callable[[], object], ...] = (
        lambda: codec.compress(TEXT, Container.NONE, 0),
        lambda: codec.decompress(TEXT, Container.NONE, PAGE),
    )

    for call in calls:
        with pytest.raises(HarnessError) as caught:
            call()
        assert str(caught.value) == "pages of container none are moved, not coded"
