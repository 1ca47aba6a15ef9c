"""The dummies are random, but repeatable, and as often as they say."""

from __future__ import annotations

import math

import msgspec

from skymap_scanner.recos.base import Pixel, Vertex
from skymap_scanner.recos.dummy import Dummy, chance

PIXELS = [
    Pixel(nside=8, index=index, zenith=1.0, azimuth=2.0, seeds=(Vertex(x=0.0, y=0.0, z=0.0, time=0.0),))
    for index in range(2000)
]


def dummy() -> Dummy:
    return Dummy.__new__(Dummy)


def test_one_answer_in_ten_is_nan() -> None:
    answers = dummy().reconstruct(PIXELS)
    assert 0.08 < sum(math.isnan(answer.llh) for answer in answers) / len(answers) < 0.12


def test_answers_depend_on_the_pixel_and_its_seeds_alone() -> None:
    pixel = PIXELS[1]
    (answer,) = dummy().reconstruct([pixel])
    assert dummy().reconstruct([PIXELS[0], pixel])[1] == answer
    assert dummy().reconstruct([msgspec.structs.replace(pixel, attempt=5)]) == [answer]
    other = msgspec.structs.replace(pixel, seeds=(Vertex(x=1.0, y=0.0, z=0.0, time=0.0),))
    assert dummy().reconstruct([other]) != [answer]


def test_chances_are_even() -> None:
    draws = [chance("crash", number) for number in range(5000)]
    assert all(0 <= draw < 1 for draw in draws)
    assert 0.28 < sum(draw < 0.3 for draw in draws) / len(draws) < 0.32
