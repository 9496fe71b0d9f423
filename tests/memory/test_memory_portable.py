"""Portable content: the same bytes on every host, with every Python, numpy and zlib."""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np
import pytest
from numpy.random import PCG64

from multifd.memory.corpus import CORPORA, MIXED_PARTS, PORTABLE, generate
from multifd.memory.dice import Dice

MIB: Final = 1 << 20

DIGESTS: Final = {
    "zero": "30e14955ebf1352266dc2ff8067e68104607e750abb9d3b36582b8af909fcb58",
    "text": "a157b79c55ef1a8bf7f7df653057c2486c4283e359e9e5013c1ee4436114c4d0",
    "heap": "0f3f161e4edbde41d47aea7a0669f39af80ba099215247f7b785bbea69e16f8b",
    "code": "4bd45b51a6f88e8f8ecc8cb3293f172ae5f5cd24493dd79ea058a580b08f894b",
    "random": "eca5697e609a54d96c6298c09b842797b809d4264a25c315ce450e3142af5cf1",
    "sparse": "bf02331ef425d13399c1e4a924bd6d4dcf0a8c6f0178c3466a4106103848554e",
    "constant": "640912d8bc2c2a527bbd693fbb9279db0d0d04a3e0cd2e84b9b4dd4c6bf9a5e2",
    "compressed": "8ef9f8e1096668b906565c1ebba39534c4cf91813dbe40cc602016cde2e0e8a5",
    "qemu-test": "5de838efee6e6c837bfa139ba354992826dfb76904fd9adbace837776022098f",
    "runs-258": "830f220dfc458cbd3aeb86b9bd1ff9fcb18c4d304b07914268e71e3684542e2c",
    "codes-15": "2283652bd6c321e8585b29194982c06bdd9ac48cdc101d99941e3e221c41a00f",
    "stored-64k": "41cc926e5d3bb9065c14ddb929069c56ba8c8a22a8f579d511d257b9b74ceffc",
    "mixed": "bf6e3d6234e700af77a3ec72877e74072ae08e870f79ad7f97fecdfe357aeefe",
    "period-255": "04bdbce868962564b791efada960eb4a836c141f9a8185fc60a124b430a381f6",
    "period-256": "c4afff6098c03c4ab9566cb57cfbec5fb393287a08c26fd98dd7e154ef1438d0",
    "period-257": "a9fac2638f1b9a2e40c3c694fa91c9611693c585e9047afdb842f9b0ff5d0a3c",
    "period-511": "01fac3f43119827726a87227686b04d289f049eff3080e28f65deee6ff83a337",
    "period-512": "4ed631e16dd217eda07153ace6bd1e1e0df04a4851e8f0fedadd49623dd60654",
    "period-513": "d53b2d0008212de6fe8e1bc6e17d8462fe9fea158896a55797d18d4e9078772d",
    "period-1023": "8716eac18dfef5354c0b07bbba0acd438dfce83ac32b4c42e3a24562194496e9",
    "period-1024": "bce749869e5b9d54c891771a2b1dbf2e67155e6d5656a28dcfccc0938727e357",
    "period-1025": "493a390d42e9fef576887c2ce9ea6587ff189d55a56496aaa2ad40f70762def8",
    "period-2047": "19326cf24cf68a921358bf3ba8692e9e5e0960880b479f5ac63f7795f8bc548a",
    "period-2048": "1bc494f3cbcee6a5c3b15d0c748b47880b2fe9533724e1c0376d0fe5987a2d99",
    "period-2049": "0c4ee9768dfc2cebd74f00bf5ae7d7ed7b904a6de70e4011b53e843ae3870b47",
    "period-4095": "6d36c286b87fcbb6babbc4f712c74b5cde783af5f3a85dc49c4144a0ac391db9",
    "period-4096": "3495c4edc1260bdf10e66734918a69d94e2645140fb6983daea3fcb2e3fe4946",
    "period-4097": "ce284aefac4df2cf4b7bf865295d1c5e79a3108c760591d36d20ca63726f9bd9",
    "period-8191": "82acbc29ec522a17041efbf0b93bd768ab88e2792047d3a0b7c2332f92a18ff5",
    "period-8192": "a666379ecd1be2c04c3232f51155f97738e8f4d19663d5a37dfc6b6c4c7f2103",
    "period-8193": "6235f3222934af3f70e9473efde54641f02904f5fdd23836355f8dd9453bd78b",
    "period-16383": "eea0d9c760faf7e6117fe9827a350e30e6ff1e1c998f42a52e6d977f2d6fe90d",
    "period-16384": "61fc2e44c932fb508638955e9053f4a8599e17d90abadec861d057047fd8d224",
    "period-16385": "ec2693afb57a3575037b630b82a079ed182d09bf8107d2c7ca13e6a9ef499ee4",
    "period-32767": "c5bd3d3928b42c1b9206264688aff8459d15cf59e23c8d2603b90ce7b0d6d549",
    "period-32768": "8a8748bd22a1cf7f5d2e5b07f781c7b63d35f8d7b7935f9e22f3c05eaaa50aa0",
    "period-32769": "aa0a8082b34d1c0137a26aec4e7a98eb4e6fa1a7d23c86b5dcd2c8006a491d20",
    "page-edge": "250bd4832a2cc4067dc412521655c4fa95d98670fdb46539be31629b3e10b648",
}
"""SHA-256 of one MiB with seed 1. Whoever changes one changes the content of every cell that has it, on purpose."""


def test_every_corpus_that_claims_to_be_portable_is_pinned() -> None:
    assert sorted(DIGESTS) == sorted(PORTABLE)


@pytest.mark.parametrize("name", DIGESTS)
def test_a_portable_corpus_has_the_same_bytes_everywhere(name: str) -> None:
    assert hashlib.sha256(generate(name, MIB, 1)).hexdigest() == DIGESTS[name]


def test_files_of_the_host_are_portable_nowhere() -> None:
    assert not CORPORA["host-files"].portable
    assert all(part.portable for part in MIXED_PARTS)


def test_dice_are_the_raw_output_that_numpy_promises() -> None:
    assert np.array_equal(Dice(7, 8).words(1000), PCG64([7, 8]).random_raw(1000))


def test_dice_reach_both_ends_and_nothing_beyond() -> None:
    drawn = Dice(1).integers(-2, 3, 1000)

    assert sorted(set(drawn.tolist())) == [-2, -1, 0, 1, 2]


def test_weights_are_shares() -> None:
    drawn = np.bincount(Dice(1).weighted([1, 0, 3], 40_000), minlength=3)

    assert drawn[1] == 0
    assert drawn[2] / drawn[0] == pytest.approx(3, rel=0.05)


def test_an_order_has_every_index_once() -> None:
    assert sorted(Dice(1).order(1000).tolist()) == list(range(1000))


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9])
def test_noise_has_the_bytes_asked_for_and_is_the_start_of_longer_noise(count: int) -> None:
    assert Dice(1).noise(count) == Dice(1).noise(64)[:count]
