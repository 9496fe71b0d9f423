"""What programs are and what they keep: machine code and the words of a heap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from multifd.memory.corpora.stream import Content, fill, limited, shuffled

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

OPERAND_MEAN: Final = 4000
"""Mean distance of jumps and size of immediates; smaller ones are more frequent."""

ARENAS: Final = 6
"""Regions that the pointers of a heap point into: the stack, the heap proper, libraries."""


@limited
def machine_code(size: int, rng: np.random.Generator) -> Content:
    """Synthetic x86-64: common opcodes, operands of which the high byte is nearly always the sign."""
    weights = np.array([weight for weight, _, _ in INSTRUCTIONS])
    count = BLOCK_LENGTH * min(BASIC_BLOCKS, 1 + size // BLOCK_BYTES)
    chosen = rng.choice(len(INSTRUCTIONS), count, p=weights / weights.sum()).tolist()
    signs = rng.choice([-1, 1, 1], count)
    operands = (rng.exponential(OPERAND_MEAN, count) * signs).astype("<i4").tobytes()
    code = [
        opcode + operands[at : at + width]
        for at, (_, opcode, width) in zip(
            range(0, len(operands), 4), (INSTRUCTIONS[index] for index in chosen), strict=True
        )
    ]
    blocks = [b"".join(code[at : at + BLOCK_LENGTH]) for at in range(0, len(code), BLOCK_LENGTH)]
    return fill(shuffled(blocks, rng), size)


@limited
def heap(size: int, rng: np.random.Generator) -> Content:
    """Words of 8 bytes: aligned pointers with common high bytes, small integers, zeros, a few keys."""
    count = -(-size // 8)
    bases = np.uint64(0x7F << 40) + (rng.integers(0, 1 << 24, ARENAS, dtype=np.uint64) << np.uint64(12))
    low = rng.integers(0, 1 << 32, count, dtype=np.uint32)
    kind = rng.integers(0, 256, count, dtype=np.uint8)
    pointers = bases[kind % ARENAS] + (low & np.uint32(0xFFFFF0))
    words = np.select(
        [kind < 96, kind < 160, kind < 240],
        [pointers, low & np.uint32(0xFF), np.uint64(0)],
        default=low * np.uint64(0x9E3779B97F4A7C15),
    )
    return words.astype("<u8").view(np.uint8)[:size].data
