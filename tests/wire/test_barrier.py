"""The SYNC barrier: nobody passes before everybody has come, in whatever order they come."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multifd.errors import WireError
from multifd.wire.barrier import MAIN, SyncBarrier

CHANNELS = st.integers(1, 255)


@given(CHANNELS, st.integers(1, 3), st.randoms(use_true_random=False))
def test_only_the_last_of_all_channels_and_main_ends_an_epoch(channels: int, epochs: int, random: Random) -> None:
    barrier = SyncBarrier(channels)
    for epoch in range(epochs):
        order = [MAIN, *range(channels)]
        random.shuffle(order)

        ended = [barrier.arrive(channel) for channel in order]

        assert ended == [False] * channels + [True]
        assert barrier.epoch == epoch + 1


@given(CHANNELS, st.data())
def test_missing_is_who_has_not_arrived(channels: int, data: st.DataObject) -> None:
    everyone = {MAIN, *range(channels)}
    arrived = data.draw(st.sets(st.sampled_from(sorted(everyone)), max_size=channels))
    barrier = SyncBarrier(channels)

    for channel in arrived:
        barrier.arrive(channel)

    assert barrier.missing == everyone - arrived


def test_all_are_missing_again_when_an_epoch_has_ended() -> None:
    barrier = SyncBarrier(1)

    barrier.arrive(MAIN)
    barrier.arrive(0)

    assert barrier.missing == {MAIN, 0}


def test_a_channel_that_runs_ahead_is_refused() -> None:
    barrier = SyncBarrier(3)
    barrier.arrive(1)

    with pytest.raises(WireError) as caught:
        barrier.arrive(1)

    assert str(caught.value) == (
        "multifd: SYNC is 'a second one on channel 1', expected channels [-1, 0, 2] to end epoch 0"
    )
    assert barrier.missing == {MAIN, 0, 2}
