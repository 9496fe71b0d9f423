"""One planned cell: what there is to do, and what the oracle says about it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from multifd.oracle.question import Prediction
from multifd.plan.work import Pairing, Work


class PlannedCell(BaseModel):
    """A cell before it is run. The id says everything that is needed to run it again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    suite: str
    work: Work
    prediction: Prediction
    skip: str | None = None
    """Why it will not run, and what to do about it."""

    @property
    def id(self) -> str:
        """Unique in a plan."""
        return f"{self.suite}/{self.work.place}"

    @property
    def group(self) -> str:
        """Cells of a group run on one worker, one after the other."""
        return f"{self.suite}/{self.work.group}"

    @property
    def pairing(self) -> Pairing:
        """The migration that it is about; only for cells that are about one."""
        assert isinstance(self.work, Pairing), f"{self.id} is no migration"
        return self.work
