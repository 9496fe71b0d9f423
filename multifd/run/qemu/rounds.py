"""Dirty rounds of a guest that never runs."""

from __future__ import annotations

from dataclasses import dataclass

from multifd.memory.image import GuestMemory
from multifd.memory.layout import Round
from multifd.qemu.guest import RAM_BLOCK, Qtest
from multifd.run.qemu.setting import START, Setting


@dataclass(slots=True)
class Change:
    """One dirty round: pages get their content in the file that both we and QEMU map, then one store each makes QEMU's
    dirty log see them."""

    ends: Setting
    content: Round
    qtest: Qtest
    made: bool = False
    """The pages have this content."""

    async def __call__(self) -> None:
        size = self.content.image.page_size
        touched: list[tuple[int, int]] = []
        ram = self.ends.ram("source")
        with GuestMemory.open(self.content.image, writable=False) as image, ram.open("r+b") as file:
            pages = image.pages(RAM_BLOCK)
            for run in self.content.pages:
                file.seek(run.first * size)
                file.write(pages[run.first : run.stop].data)
                touched += [(page * size, int(pages[page, 0])) for page in range(run.first, run.stop)]
        self.made = True
        await self.qtest.touch(touched, START)


def changes_of(ends: Setting, test: Qtest) -> list[Change]:
    """All of them, in order."""
    return [Change(ends, content, test) for content in ends.script.rounds[1:]]
