from __future__ import annotations

import os

import classification
import numpy as np
import pytest
from films import ACROSS, SIDE
from hypothesis import given, settings
from hypothesis import strategies as st
from particles import Alignment, Array, Micrograph, Sums
from polar import DIRECTIONS, REACH, best_fit, laid_upon
from specimen import DIAMETER, density

PIXEL = DIAMETER / ACROSS


def view(kind: int, degrees: float = 0.0, shift: tuple[float, float] = (0.0, 0.0)) -> Array:
    return density(kind, np.radians(degrees), PIXEL, SIDE, shift).astype(np.float32)


REFERENCES = np.array([view(kind) for kind in range(3)])
shifts = st.integers(-REACH, REACH)


@settings(max_examples=15)
@given(st.integers(0, 2), st.integers(0, DIRECTIONS - 1), shifts, shifts)
def test_kind_direction_and_shift_of_a_particle_are_found(kind: int, direction: int, x: int, y: int) -> None:
    picture = view(kind, direction * 360 / DIRECTIONS, (x, y))
    fit = best_fit(picture[None], REFERENCES)
    assert fit.reference.tolist() == [kind]
    assert fit.likeness[0] > 0.97
    upright = laid_upon(picture, int(fit.direction[0]), fit.shift[0])
    assert np.corrcoef(upright.ravel(), REFERENCES[kind].ravel())[0, 1] > 0.97


def test_pictures_with_other_pixels_lie_on_the_same_references() -> None:
    picture = density(2, 1.0, PIXEL * 1.25, SIDE).astype(np.float32)
    fit = best_fit(picture[None], REFERENCES, scale=0.8)
    assert fit.likeness[0] > 0.97
    upright = laid_upon(picture, int(fit.direction[0]), fit.shift[0], scale=0.8)
    assert np.corrcoef(upright.ravel(), REFERENCES[2].ravel())[0, 1] > 0.97


def test_a_picture_fits_alike_whatever_pictures_come_with_it() -> None:
    chance = np.random.default_rng(1)
    pictures = (np.array([view(n % 3, 40.0 * n) for n in range(7)]) + chance.normal(0, 0.3, (7, SIDE, SIDE))).astype(
        np.float32
    )
    together = best_fit(pictures, REFERENCES)
    for number, picture in enumerate(pictures):
        alone = best_fit(picture[None], REFERENCES)
        assert (alone.reference[0], alone.direction[0]) == (together.reference[number], together.direction[number])
    assert together.reference.tolist() == [0, 1, 2, 0, 1, 2, 0]


def test_flat_pictures_do_no_harm() -> None:
    fit = best_fit(np.ones((2, SIDE, SIDE), np.float32), REFERENCES)
    assert np.isfinite(fit.likeness).all()


def test_the_arithmetic_asks_of_its_library_what_the_array_standard_has() -> None:
    """So that CuPy, or what else is installed with a GPU, does it as well as numpy."""
    if os.environ.get("CI") != "true":
        pytest.importorskip("array_api_strict", reason="pip install array-api-strict")
    import array_api_strict

    pictures = np.array([view(0, 25.0), view(2, 50.0, (1, 0))])
    plain, strict = best_fit(pictures, REFERENCES), best_fit(pictures, REFERENCES, library=array_api_strict)
    for one, other in zip(plain, strict, strict=True):
        np.testing.assert_allclose(one, other)


def test_first_references_are_particles_that_differ() -> None:
    samples = np.array([view(0), view(0, 90), view(1), view(1, 45), view(2), view(2, 10)])
    references = classification.first_references(samples, 3)
    assert sorted(best_fit(references, REFERENCES).reference.tolist()) == [0, 1, 2]
    assert len(classification.first_references(samples[:2], 5)) == 2


def test_a_class_is_the_mean_of_its_particles_and_an_empty_one_stays_what_it_was() -> None:
    sums = [
        Sums(number=number, kinds=[0] * number, angles=[0.0] * number, sums=np.array([number * view(1), 0 * view(0)]))
        for number in (1, 3)
    ]
    means, counts = classification.totals(sums)
    assert counts == [4, 0]
    np.testing.assert_allclose(means[0], view(1), atol=1e-6)
    references = classification.next_references(REFERENCES[[0, 2]], sums)
    np.testing.assert_array_equal(references[1], REFERENCES[2])
    assert best_fit(references[:1], REFERENCES).reference.tolist() == [1]


def test_references_travel_unharmed_as_text() -> None:
    references = classification.first_references(REFERENCES, 3)
    micrograph = Micrograph(number=0, name="x", diameter=180.0, threshold=0.2, pixel_size=0.0)
    sent = Alignment(micrograph=micrograph, picks=[], references=references)
    got = Alignment.model_validate_json(sent.model_dump_json())
    assert got.references.tobytes() == references.tobytes()
    assert len(sent.model_dump_json()) < 60_000
