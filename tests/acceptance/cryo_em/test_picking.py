from __future__ import annotations

import math
from pathlib import Path

import mrc
import mrcfile
import numpy as np
import picking
import pytest
from films import ACROSS, SIDE, open_film
from mrc import Unreadable
from particles import Micrograph, Picks
from picking import Picker
from specimen import DIAMETER, NOISE, PIXEL, MockSpecimen, density, imaged, templates, transfer

from ewms.pilot.data_hub import VARIABLE


def micrograph(path: Path, pixel_size: float = 0.0, threshold: float = 0.22) -> Micrograph:
    return Micrograph(
        number=0, name=path.name, path=str(path), diameter=DIAMETER, threshold=threshold, pixel_size=pixel_size
    )


@pytest.fixture
def picker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Picker:
    tmp_path.joinpath("templates.mrc").write_bytes(mrc.encode(templates(), PIXEL))
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    return Picker()


@pytest.mark.parametrize("kind", [0, 1, 2])
@pytest.mark.parametrize(("x", "y", "angle"), [(220.0, 280.0, 0.0), (251.3, 247.8, 1.0), (263.5, 222.5, 4.0)])
def test_a_single_particle_is_found_where_it_is(
    picker: Picker, tmp_path: Path, x: float, y: float, kind: int, angle: float
) -> None:
    size = 501
    particle = density(kind, angle, PIXEL, size, (x - 250, y - 250))
    film = imaged(particle, PIXEL, 18_000) + np.random.default_rng(1).normal(0, NOISE / 2, (size, size))
    path = tmp_path / "one.mrc"
    path.write_bytes(mrc.encode(film.astype(np.float32), PIXEL))
    best = picker.consume(micrograph(path)).picks[0]
    assert math.dist((best.x, best.y), (x, y)) < 2 * DIAMETER / ACROSS / PIXEL
    assert best.score > 0.28


def test_noise_holds_no_particles(picker: Picker, tmp_path: Path) -> None:
    noise = np.random.default_rng(1).normal(0, 1, (1024, 1024)).astype(np.float32)
    path = tmp_path / "noise.mrc"
    path.write_bytes(mrc.encode(noise, PIXEL))
    found = picker.consume(micrograph(path, threshold=0.24))
    assert found.picks == []
    assert found.samples.shape == (0, SIDE, SIDE)
    assert Picks.model_validate_json(found.model_dump_json()).samples.shape == (0, SIDE, SIDE)


def test_a_micrograph_is_picked_alike_whatever_its_numbers_are(picker: Picker, mock: MockSpecimen, tmp_path: Path) -> None:
    film = mock.draw(0)
    found = []
    for name, pixels in (("plain", film), ("brighter", 3 * film + 5)):
        path = tmp_path / f"{name}.mrc"
        path.write_bytes(mrc.encode(pixels, PIXEL))
        found.append(picker.consume(micrograph(path)))
    assert [(pick.x, pick.y) for pick in found[0].picks] == [(pick.x, pick.y) for pick in found[1].picks]
    assert len(found[0].picks) > 5


def test_the_pixel_size_is_the_header_s_or_that_of_the_parameter(mock: MockSpecimen, tmp_path: Path) -> None:
    path = tmp_path / "untold.mrc"
    path.write_bytes(mrc.encode(mock.draw(0), 0.0))
    with pytest.raises(Unreadable, match="use --set pixel_size="):
        open_film(micrograph(path))
    film = open_film(micrograph(path, pixel_size=PIXEL))
    assert (film.pixel, film.bin) == (PIXEL, 4)


def test_no_more_than_the_boxes_is_read_of_a_micrograph(mock: MockSpecimen, collection: Path) -> None:
    film = open_film(micrograph(sorted(collection.glob("mock*.mrc"))[0]))
    assert isinstance(film.pixels.base, np.memmap) or isinstance(film.pixels, np.memmap)


def test_a_micrograph_of_one_section_is_one_and_a_movie_is_none(mock: MockSpecimen, tmp_path: Path) -> None:
    for sections in (1, 2):
        tmp_path.joinpath(f"{sections}.mrc").write_bytes(mrc.encode(np.stack([mock.draw(0)] * sections), PIXEL))
    assert open_film(micrograph(tmp_path / "1.mrc")).pixels.shape == (mock.size, mock.size)
    with pytest.raises(Unreadable, match="a stack or a movie of 2 pictures"):
        open_film(micrograph(tmp_path / "2.mrc"))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not an MRC file"),
        (b"x" * 5000, "not an MRC file"),
        (mrc.encode(np.ones((9, 9), np.float32), 2.0)[:-100], "cut short"),
        (mrc.encode(np.ones((90, 90), np.float32), 2.0), "too small for its particles: 90 x 90 pixels"),
        (None, "cannot be opened: No such file"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_without_its_path(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "film.mrc"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Unreadable, match=reason) as caught:
        open_film(micrograph(path))
    assert str(tmp_path) not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_written_files_are_valid_and_hold_no_date(mock: MockSpecimen, tmp_path: Path) -> None:
    for pixels in (np.ones((8, 9), np.float32), templates()):
        path = tmp_path / "pixels.mrc"
        path.write_bytes(mrc.encode(pixels, 3.5))
        assert mrcfile.validate(path)
        found, pixel = mrc.read(str(path))
        assert pixel == 3.5
        np.testing.assert_array_equal(found, pixels)
        assert b"Created" not in path.read_bytes()[:1024]


def test_the_mock_specimen_is_drawn_alike_each_time_and_keeps_its_distances(mock: MockSpecimen, tmp_path: Path) -> None:
    assert mock.draw(1).tobytes() == mock.draw(1).tobytes()
    assert mock.draw(1).tobytes() != mock.draw(2).tobytes()
    first = mock.file(1, tmp_path)
    written = first.stat().st_mtime_ns
    assert mock.file(1, tmp_path).stat().st_mtime_ns == written
    particles = mock.particles(0)
    apart = np.hypot(np.subtract.outer(particles["x"], particles["x"]), np.subtract.outer(particles["y"], particles["y"]))
    assert apart[~np.eye(len(particles), dtype=bool)].min() * PIXEL >= 230
    assert set(particles["kind"]) == {0, 1, 2}


def test_the_transfer_is_dark_at_first_and_crosses_zero_where_theory_says() -> None:
    frequencies = np.fft.rfftfreq(4096, 1.0)
    function = transfer((1, 4096), 1.0, 18_000.0)[0]
    assert function[0] == pytest.approx(-0.1)
    crossing = frequencies[np.flatnonzero(np.diff(np.sign(function)))[0]]
    assert 1 / crossing == pytest.approx(math.sqrt(0.0197 * 18_000 / (1 - math.asin(0.1) / math.pi)), rel=0.01)


def test_a_blob_is_as_wide_as_a_particle() -> None:
    blob, pixel = picking.blob(180.0)
    assert pixel == 7.5
    assert blob.shape == (SIDE, SIDE)
    profile = blob[SIDE // 2] / blob.max()
    assert profile[SIDE // 2 + ACROSS // 2] == pytest.approx(math.exp(-2), abs=0.03)
