"""What a profile says about each accelerator."""

from __future__ import annotations

from multifd.profile.model import Profile


def test_an_accelerator_that_is_not_named_is_among_the_others() -> None:
    lab = Profile.model_validate(
        {
            "description": "d",
            "peers": [{"codec": "zlib"}],
            "devices": {"iaa": {"policy": "skip"}, "others": {"policy": "require"}},
        }
    )

    policies = {kind: entry.policy for kind in ("qat", "iaa", "kunpeng") if (entry := lab.device(kind)) is not None}
    assert policies == {"qat": "require", "iaa": "skip", "kunpeng": "require"}
    assert lab.required == ("qat", "kunpeng")


def test_without_others_an_accelerator_that_is_not_named_takes_no_part() -> None:
    lab = Profile.model_validate({"description": "d", "peers": [{"codec": "zlib"}], "devices": {"iaa": {}}})

    assert (lab.device("qat"), lab.required) == (None, ())
