"""TLS of one cell: what each QEMU is given for it, and stages before and behind peers of ours, which know none."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from multifd.migrate.crew import Crew
from multifd.migrate.tls_stage import TlsStage, accepting, speaking
from multifd.qemu.tls import Credential, Store, Tls
from multifd.result.record import Role


@dataclass(slots=True)
class Secured:
    """The TLS of one cell, none where ``tls`` is None; its stages end with the block.

    ``directory`` is for credentials and sockets, ``deadline`` in seconds from the first stage on.
    """

    tls: Tls | None
    directory: Path
    deadline: float
    _store: Store | None = None
    _stages: list[TlsStage] = field(default_factory=list)
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        if self.tls is not None:
            self._store = Store(self.directory / "tls")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()

    def arguments(self, side: Role) -> tuple[str, ...]:
        """What the QEMU of one side is started with."""
        return self.tls.arguments(side, self._store) if self.tls is not None and self._store is not None else ()

    def parameters(self, side: Role) -> dict[str, Any]:
        """Migration parameters of one side."""
        return self.tls.parameters(side) if self.tls is not None else {}

    @property
    def carriers(self) -> tuple[Crew, ...]:
        """What the stream goes through here."""
        return tuple(stage.carrier for stage in self._stages)

    def behind(self, address: str) -> str:
        """Where our splice connects to, to reach by TLS a QEMU that listens there."""
        if self.tls is None or self._store is None:
            return address
        context = speaking(self._store.directory(Credential.X509, "sender"))
        return self._through(
            TlsStage(self._path("behind"), address, self.deadline, far=context, hostname=self.tls.hostname)
        )

    def before(self, address: str) -> str:
        """Where a QEMU connects to, to reach by TLS a peer of ours that listens there."""
        if self.tls is None or self._store is None:
            return address
        context = accepting(self._store.directory(Credential.X509, "receiver"))
        return self._through(TlsStage(self._path("before"), address, self.deadline, near=context))

    def _through(self, stage: TlsStage) -> str:
        self._stages.append(self._stack.enter_context(stage))
        return stage.address

    def _path(self, name: str) -> str:
        return f"unix:{self.directory / name}"
