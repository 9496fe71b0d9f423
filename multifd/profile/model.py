"""The model of a hardware profile; ``hwprofiles/profile.schema.json`` is made from it."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from multifd.result.record import Role


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PeerEntry(_Model):
    """One peer: a codec of ours, or any executable that speaks the peer contract."""

    codec: str | None = None
    """A codec of ours."""
    parameters: dict[str, int] = {}
    """Of the codec: level, window."""
    name: str | None = None
    """Of an external peer, as results show it."""
    command: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """Of an external peer: program and arguments; ``ssh host program`` reaches a lab host."""
    environment: dict[str, str] = {}
    """Variables that the peer's process gets besides ours."""
    roles: Annotated[tuple[Role, ...], Field(min_length=1)] = ("sender", "receiver")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.codec is not None and (self.name is not None or self.command is not None):
            raise ValueError("a peer has either codec (and parameters) or name and command, not both")
        if self.codec is None and (self.name is None or self.command is None):
            raise ValueError(
                "a peer has either codec (and parameters) or name and command; neither is complete"
            )
        return self


class Deadlines(_Model):
    """Seconds after which a peer is taken for hung and killed."""

    hello: Annotated[float, Field(gt=0)] = 20.0
    request: Annotated[float, Field(gt=0)] = 30.0


class Profile(_Model):
    """A hardware profile."""

    description: str
    peers: Annotated[tuple[PeerEntry, ...], Field(min_length=1)]
    deadlines: Deadlines = Deadlines()
