"""What programs are and what they keep: machine code and the words of a heap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from multifd.memory.corpora.stream import Content, fill, limited, shuffled
from multifd.memory.dice import Dice

INSTRUCTIONS: Final[Sequence[tuple[int, bytes, int]]] = (
    (14, b"\x48\x89", 1),  # mov r, r
    (12, b"\x48\x8b\x45", 1),  # mov r, [rbp+disp8]
    (8, b"\x48\x8b\x84\x24", 4),  # mov r, [rsp+disp32]
    (9, b"\xe8", 4),  # call rel32
    (8, b"\x0f\x84", 4),  # je rel32
    (7, b"\x74", 1),  # je rel8
    (6, b"\x48\x8d\x3d", 4),  # lea rdi, [rip+disp32]
    (6, b"\x85\xc0", 0),  # test eax, eax
    (6, b"\x31\xc0", 0),  # xor eax, eax
    (6, b"\x48\x83\xc4", 1),  # add rsp, imm8
    (5, b"\xb8", 4),  # mov eax, imm32
    (4, b"\x55\x48\x89\xe5", 0),  # push rbp; mov rbp, rsp
    (4, b"\x5b\x5d\xc3", 0),  # pop rbx; pop rbp; ret
    (3, b"\xf3\x0f\x1e\xfa", 0),  # endbr64
    (2, b"\x66\x0f\x1f\x84\x00\x00\x00\x00\x00", 0),  # nop, for alignment
)
"""Weight, fixed bytes, bytes of operand: the x86-64 instructions that compilers emit most."""

BASIC_BLOCKS: Final = 24576
BLOCK_LENGTH: Final = 8
BLOCK_BYTES: Final = 32
"""Basic blocks in stock, instructions in each, bytes that each has on average: 800 KB of code."""

OPERAND_BITS: Final = 16
"""Bits of the longest operands, distances of jumps and immediates; every shorter length is as frequent."""

ARENAS: Final = 6
"""Regions that the pointers of a heap point into: the stack, the heap proper, libraries."""


@limited
def machine_code(size: int, dice: Dice) -> Content:
    """Synthetic x86-64: common opcodes, operands of which the high byte is nearly always the sign."""
    count = BLOCK_LENGTH * min(BASIC_BLOCKS, 1 + size // BLOCK_BYTES)
    chosen = dice.weighted([weight for weight, _, _ in INSTRUCTIONS], count).tolist()
    signs = np.array([-1, 1, 1])[dice.integers(0, 3, count)]
    sizes = dice.integers(0, 1 << OPERAND_BITS, count) >> dice.integers(0, OPERAND_BITS, count)
    operands = (sizes * signs).astype("<i4").tobytes()
    code = [
        opcode + operands[at : at + width]
        for at, (_, opcode, width) in zip(
            range(0, len(operands), 4), (INSTRUCTIONS[index] for index in chosen), strict=True
        )
    ]
    blocks = [b"".join(code[at : at + BLOCK_LENGTH]) for at in range(0, len(code), BLOCK_LENGTH)]
    return fill(shuffled(blocks, dice), size)


@limited
def heap(size: int, dice: Dice) -> Content:
    """Words of 8 bytes: aligned pointers with common high bytes, small integers, zeros, a few keys."""
    count = -(-size // 8)
    bases = np.uint64(0x7F << 40) + (dice.integers(0, 1 << 24, ARENAS).astype(np.uint64) << np.uint64(12))
    low = dice.words(count) >> np.uint64(32)
    kind = dice.integers(0, 256, count)
    pointers = bases[kind % ARENAS] + (low & np.uint64(0xFFFFF0))
    words = np.select(
        [kind < 96, kind < 160, kind < 240],
        [pointers, low & np.uint64(0xFF), np.uint64(0)],
        default=low * np.uint64(0x9E3779B97F4A7C15),
    )
    return words.astype("<u8").view(np.uint8)[:size].data
