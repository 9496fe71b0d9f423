"""Codecs: one small module per implementation, found by its name.

A module of this package that has a ``FACTORY`` is a codec; nothing else needs to know it.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import pkgutil
import re
from collections.abc import Mapping
from types import MappingProxyType

from multifd.codec.contract import Factory
from multifd.errors import InputError
from multifd.framing.coder import Codec


@functools.cache
def factories() -> Mapping[str, Factory]:
    """Every codec's factory by codec name, in the order of the names."""
    found: dict[str, Factory] = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda m: m.name):
        factory = getattr(importlib.import_module(f"{__name__}.{module.name}"), "FACTORY", None)
        if isinstance(factory, Factory):
            found[factory.name] = factory
    return MappingProxyType(found)


def create(name: str, parameters: Mapping[str, int] | None = None) -> Codec:
    """A codec by name with its parameters (level, window); raises :class:`InputError` naming what is allowed."""
    factory = _of_module(name) or factories().get(name)
    if factory is None:
        raise InputError(f"codec {name!r} is unknown; expected one of {', '.join(factories())}")
    return factory.create(parameters or {})


def _of_module(name: str) -> Factory | None:
    """The factory of the module that is called like the codec: a peer serves one and need not load the others."""
    module = f"{__name__}.{name.replace('-', '_')}"
    if not name.isascii() or importlib.util.find_spec(module) is None:
        return None
    factory = getattr(importlib.import_module(module), "FACTORY", None)
    return factory if isinstance(factory, Factory) and factory.name == name else None


def create_peer(name: str) -> Codec:
    """A codec by its peer name, parameters in brackets: ``zlib[level=6,window=12]``."""
    return create(*parsed(name))


def parsed(name: str) -> tuple[str, dict[str, int]]:
    """The codec and the parameters of a peer name, which may be of no codec; raises :class:`InputError`."""
    match = re.fullmatch(r"([\w-]+)(?:\[((?:\w+=-?\d{1,9})(?:,\w+=-?\d{1,9})*)\])?", name)
    if match is None:
        raise InputError(f"codec {name!r}: expected a name with parameters in brackets, such as zlib[level=6]")
    pairs = (parameter.split("=") for parameter in (match[2] or "").split(",") if parameter)
    return match[1], {key: int(value) for key, value in pairs}
