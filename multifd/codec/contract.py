"""How a codec is made from its name and parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from multifd.errors import InputError
from multifd.framing.coder import Codec


@dataclass(frozen=True, slots=True)
class Parameter:
    """An integer parameter of a codec."""

    default: int
    allowed: range | tuple[int, ...]

    def expected(self) -> str:
        """What is allowed, in words."""
        if isinstance(self.allowed, range) and self.allowed.step == 1:
            return f"{self.allowed.start} to {self.allowed.stop - 1}"
        return f"one of {', '.join(map(str, self.allowed))}"


@dataclass(frozen=True, slots=True)
class Factory:
    """How a codec is made: its name, its parameters, its constructor."""

    name: str
    make: Callable[..., Codec]
    parameters: Mapping[str, Parameter] = field(default_factory=dict)

    def create(self, given: Mapping[str, int]) -> Codec:
        """Make the codec; raises :class:`InputError` for an unknown parameter or a value out of range."""
        return self.make(peer_name(self, given), **self.values(given))

    def values(self, given: Mapping[str, int]) -> dict[str, int]:
        """All parameters, the defaults for those that are not given; raises as :meth:`create`."""
        values = {key: parameter.default for key, parameter in self.parameters.items()}
        for key, value in given.items():
            parameter = self.parameters.get(key)
            if parameter is None:
                allowed = ", ".join(self.parameters) or "none"
                raise InputError(f"codec {self.name}: parameter {key!r} is unknown; expected one of {allowed}")
            if value not in parameter.allowed:
                raise InputError(f"codec {self.name}: {key} is {value}; expected {parameter.expected()}")
            values[key] = value
        return values


def peer_name(factory: Factory, given: Mapping[str, int]) -> str:
    """The codec's name with those parameters in brackets that are not the defaults."""
    differing = [
        f"{key}={given[key]}"
        for key, parameter in factory.parameters.items()
        if given.get(key, parameter.default) != parameter.default
    ]
    return factory.name + (f"[{','.join(differing)}]" if differing else "")
