"""Dirty rounds of a guest that never runs."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from multifd.memory.image import GuestMemory
from multifd.memory.layout import Round
from multifd.qemu.guest import Machine, Qtest
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
        size, touched = self.content.image.page_size, list[tuple[int, int]]()
        machine = Machine.of(self.ends.machine, self.ends.ram("source"), self.ends.pairing.sizes)
        with GuestMemory.open(self.content.image, writable=False) as image, ExitStack() as stack:
            files = {name: stack.enter_context(file.open("r+b")) for name, file in machine.files.items()}
            for run in self.content.pages:
                pages, base = image.copy(run.block, run.first, run.count), machine.address(run.block)
                files[run.block].seek(run.first * size)
                files[run.block].write(pages.data)
                touched += [(base + (run.first + at) * size, int(page[0])) for at, page in enumerate(pages)]
        self.made = True
        await self.qtest.touch(touched, START)


def changes_of(ends: Setting, test: Qtest) -> list[Change]:
    """All of them, in order."""
    return [Change(ends, content, test) for content in ends.script.rounds[1:]]
