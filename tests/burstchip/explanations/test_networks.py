"""An excerpt keeps its lines; what it leaves out comes from the frame."""

from __future__ import annotations

import pytest

from burstchip.explanations.networks import completed

FRAME = "name: frame\npopulations:\n  a: {size: 1}\n  b: {size: 2}\ntarget: loihi2\n"


@pytest.mark.parametrize(
    ("excerpt", "expected"),
    [
        ("", FRAME),
        ("name: own\n", "name: own\npopulations:\n  a: {size: 1}\n  b: {size: 2}\ntarget: loihi2\n"),
        ("populations:\n  c: {size: 3}\n", "populations:\n  c: {size: 3}\nname: frame\ntarget: loihi2\n"),
        ("other: 1\n", f"other: 1\n{FRAME}"),
    ],
)
def test_sections_of_the_frame_are_added(excerpt: str, expected: str) -> None:
    assert completed(excerpt, FRAME) == expected


def test_without_a_frame_an_excerpt_is_whole() -> None:
    assert completed("name: own\n", "") == "name: own\n"
