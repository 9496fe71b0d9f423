"""One planned cell: a pairing, a framing, a dialect, a scenario, and what the oracle says about it."""

from __future__ import annotations

import hashlib
import shlex

from pydantic import BaseModel, ConfigDict

from multifd.oracle.question import Prediction
from multifd.plan.scenario import SCENARIOS, Scenario


class PlannedCell(BaseModel):
    """A cell before it is run. The id says everything that is needed to run it again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    suite: str
    sender: str
    receiver: str
    sender_framing: str
    receiver_framing: str
    sender_dialect: str
    receiver_dialect: str
    scenario: str
    corpus: str
    page_size: int
    channels: int
    receiver_channels: int | None = None
    """What the receiver was told, where that is something else."""
    sizes: dict[str, int]
    """Bytes of each RAM block."""
    fault: str | None = None
    prediction: Prediction
    skip: str | None = None
    """Why it will not run, and what to do about it."""

    @property
    def id(self) -> str:
        """Unique in a plan; a slash separates, a tilde stands between sender's and receiver's."""
        parts = [
            self.suite,
            self._both(self.sender_framing, self.receiver_framing),
            f"{self.sender}~{self.receiver}",
            self._both(self.sender_dialect, self.receiver_dialect),
            self.scenario if self.fault is None else f"{self.scenario}-{self.fault}",
            self.corpus,
            f"{self.page_size // 1024}k",
            f"{self._both(str(self.channels), str(self.receiver_channels or self.channels))}ch",
        ]
        return "/".join(parts)

    @property
    def framing(self) -> str:
        """As results have it: ``sender>receiver`` where they differ."""
        return self._both(self.sender_framing, self.receiver_framing, ">")

    @property
    def dialect(self) -> str:
        """As results have it: ``sender>receiver`` where they differ."""
        return self._both(self.sender_dialect, self.receiver_dialect, ">")

    @property
    def plan(self) -> Scenario:
        """The scenario."""
        return SCENARIOS[self.scenario]

    @property
    def group(self) -> str:
        """Cells of a group run on one worker, one after the other: they share the sender's captures."""
        if self.plan.mode in ("qemu", "splice"):
            return self.id  # they share nothing
        return f"{self.suite}/{self.sender}/{self.sender_framing}"

    def script_key(self, seed: int) -> str:
        """What the memory content depends on; equal keys share one set of images."""
        return self._key(seed, self.corpus, self.page_size, sorted(self.sizes.items()), self.plan.shape)

    def capture_key(self, seed: int) -> str:
        """What a capture depends on besides the sender's version; equal keys share one capture."""
        return self._key(self.script_key(seed), self.sender, self.sender_framing, self.sender_dialect, self.channels)

    def reproduce(self, options: tuple[str, ...] = ()) -> str:
        """The command that runs exactly this cell again."""
        return shlex.join(["tox", "-e", "conformance", "--", "--cell", self.id, *options])

    @staticmethod
    def _both(one: str, other: str, between: str = "~") -> str:
        return one if one == other else f"{one}{between}{other}"

    @staticmethod
    def _key(*parts: object) -> str:
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:24]
