"""From the detector's directions to the sky and back, in numpy alone.

A direction (zenith, azimuth) says where a particle came from, in IceCube's frame: z up, x to grid east, y to grid north
(along the meridian of Greenwich); the azimuth counts from x towards y. On the sky it is right ascension and declination,
J2000.

The chain: the detector on the turning Earth (sidereal time, IAU 1982), the apparent place, annual aberration, nutation
(four largest terms), precession (IAU 1976). Source: J. Meeus, Astronomical Algorithms, 2nd edition (1998), chapters 12,
21, 22, 23 and 25. It agrees with astropy to an arcsecond from 2011 to 2030 (`tests/detector/test_coordinates.py`).
IceCube's own software takes UT1 as UTC, which moves places by up to 10 arcseconds.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skymap_scanner.detector.earth import tt_minus_utc, ut1_minus_utc

LATITUDE: Final = np.radians(-89.9944)
"""Of the detector, north positive."""
LONGITUDE: Final = np.radians(-62.6081)
"""Of the detector, east positive."""

_Array = NDArray[np.float64]

_ARCSEC: Final = np.pi / 648_000.0
_J2000: Final = 51544.5  # MJD
_DAYS_PER_CENTURY: Final = 36525.0
_SECONDS_PER_DAY: Final = 86400.0
_ABERRATION: Final = 20.49552 * _ARCSEC


def to_equatorial(zenith: ArrayLike, azimuth: ArrayLike, mjd: ArrayLike) -> tuple[_Array, _Array]:
    """Where on the sky a direction points.

    Parameters
    ----------
    zenith, azimuth : (...) radians.
    mjd : (...) modified Julian date (UTC).

    Returns
    -------
    Right ascension from 0 to 2 pi and declination, (...) radians.
    """
    rotation, velocity = _detector_to_apparent(mjd), _earth_velocity(mjd)
    local = _unit(azimuth, np.pi / 2 - np.asarray(zenith, np.float64))
    apparent = _apply(rotation, local)
    mean = _apply(_transposed(_mean_to_true(mjd)), apparent)
    # The vector whose sum with the velocity, brought to length 1, is the apparent one; its own length is 1.
    along = np.sum(mean * velocity, axis=-1, keepdims=True)
    length = along + np.sqrt(along**2 + 1.0 - np.sum(velocity**2, axis=-1, keepdims=True))
    return _angles(length * mean - velocity)


def to_local(ra: ArrayLike, dec: ArrayLike, mjd: ArrayLike) -> tuple[_Array, _Array]:
    """In which direction of the detector a place on the sky is; the exact inverse of `to_equatorial`.

    Parameters
    ----------
    ra, dec : (...) radians.
    mjd : (...) modified Julian date (UTC).

    Returns
    -------
    Zenith and azimuth from 0 to 2 pi, (...) radians.
    """
    mean = _unit(ra, dec) + _earth_velocity(mjd)
    mean /= np.linalg.norm(mean, axis=-1, keepdims=True)
    apparent = _apply(_mean_to_true(mjd), mean)
    local = _apply(_transposed(_detector_to_apparent(mjd)), apparent)
    azimuth, altitude = _angles(local)
    return np.pi / 2 - altitude, azimuth


def _detector_to_apparent(mjd: ArrayLike) -> _Array:
    """Rotation (..., 3, 3) from the detector's frame to the true equator and equinox of date."""
    mjd = np.asarray(mjd, np.float64)
    longitude, obliquity, _ = _nutation(mjd)
    sidereal = _greenwich_sidereal_time(mjd) + longitude * np.cos(obliquity)
    # Grid north is the meridian of Greenwich: x, y and z are east, north and up turned by the longitude.
    to_east_north_up = _about_z(-LONGITUDE)
    sin, cos = np.sin(LATITUDE), np.cos(LATITUDE)
    to_meridian = np.array([[0.0, -sin, cos], [1.0, 0.0, 0.0], [0.0, cos, sin]])
    rotation: _Array = _about_z(-(sidereal + LONGITUDE)) @ to_meridian @ to_east_north_up
    return rotation


def _greenwich_sidereal_time(mjd: _Array) -> _Array:
    """Mean sidereal time in radians (Meeus 12.4)."""
    days = mjd - _J2000 + ut1_minus_utc(mjd) / _SECONDS_PER_DAY
    t = days / _DAYS_PER_CENTURY
    degrees = 280.46061837 + 360.98564736629 * days + 0.000387933 * t**2 - t**3 / 38_710_000.0
    return np.radians(np.mod(degrees, 360.0))


def _centuries(mjd: ArrayLike) -> _Array:
    """Julian centuries since J2000, terrestrial time."""
    return (np.asarray(mjd, np.float64) - _J2000 + tt_minus_utc(mjd) / _SECONDS_PER_DAY) / _DAYS_PER_CENTURY


def _nutation(mjd: ArrayLike) -> tuple[_Array, _Array, _Array]:
    """Nutation in longitude, mean obliquity and nutation in obliquity, radians (Meeus, chapter 22)."""
    t = _centuries(mjd)
    node = np.radians(125.04452 - 1934.136261 * t)
    sun = np.radians(280.4665 + 36000.7698 * t)
    moon = np.radians(218.3165 + 481267.8813 * t)
    longitude = -17.20 * np.sin(node) - 1.32 * np.sin(2 * sun) - 0.23 * np.sin(2 * moon) + 0.21 * np.sin(2 * node)
    change = 9.20 * np.cos(node) + 0.57 * np.cos(2 * sun) + 0.10 * np.cos(2 * moon) - 0.09 * np.cos(2 * node)
    obliquity = 84381.448 - 46.8150 * t
    return longitude * _ARCSEC, obliquity * _ARCSEC, change * _ARCSEC


def _mean_to_true(mjd: ArrayLike) -> _Array:
    """Rotation (..., 3, 3) from the mean equator of J2000 to the true one of date (Meeus, chapters 21 and 22)."""
    t = _centuries(mjd)
    zeta = (2306.2181 * t + 0.30188 * t**2 + 0.017998 * t**3) * _ARCSEC
    z = (2306.2181 * t + 1.09468 * t**2 + 0.018203 * t**3) * _ARCSEC
    theta = (2004.3109 * t - 0.42665 * t**2 - 0.041833 * t**3) * _ARCSEC
    precession = _about_z(-z) @ _about_y(theta) @ _about_z(-zeta)
    longitude, obliquity, change = _nutation(mjd)
    return _about_x(-obliquity - change) @ _about_z(-longitude) @ _about_x(obliquity) @ precession


def _earth_velocity(mjd: ArrayLike) -> _Array:
    """Velocity (..., 3) of the Earth relative to light, from the Sun's longitude (Meeus, chapters 23 and 25)."""
    t = _centuries(mjd)
    anomaly = np.radians(357.52911 + 35999.05029 * t)
    centre = np.radians(1.914602 * np.sin(anomaly) + 0.019993 * np.sin(2 * anomaly))
    sun = np.radians(280.4665 + 36000.7698 * t) + centre
    eccentricity, perihelion = 0.016708634, np.radians(102.93735 + 1.71946 * t)
    x = np.sin(sun) - eccentricity * np.sin(perihelion)
    y = -np.cos(sun) + eccentricity * np.cos(perihelion)
    _, obliquity, _ = _nutation(mjd)
    return _ABERRATION * np.stack([x, y * np.cos(obliquity), y * np.sin(obliquity)], axis=-1)


def _unit(longitude: ArrayLike, latitude: ArrayLike) -> _Array:
    longitude, latitude = np.broadcast_arrays(np.asarray(longitude, np.float64), np.asarray(latitude, np.float64))
    cos = np.cos(latitude)
    return np.stack([cos * np.cos(longitude), cos * np.sin(longitude), np.sin(latitude)], axis=-1)


def _angles(vector: _Array) -> tuple[_Array, _Array]:
    longitude = np.mod(np.arctan2(vector[..., 1], vector[..., 0]), 2 * np.pi)
    return longitude, np.arctan2(vector[..., 2], np.hypot(vector[..., 0], vector[..., 1]))


def _apply(rotation: _Array, vector: _Array) -> _Array:
    turned: _Array = np.einsum("...ij,...j->...i", rotation, vector)
    return turned


def _transposed(rotation: _Array) -> _Array:
    return np.swapaxes(rotation, -1, -2)


def _about_x(angle: ArrayLike) -> _Array:
    return _rotation(angle, 1, 2)


def _about_y(angle: ArrayLike) -> _Array:
    return _rotation(angle, 2, 0)


def _about_z(angle: ArrayLike) -> _Array:
    return _rotation(angle, 0, 1)


def _rotation(angle: ArrayLike, first: int, second: int) -> _Array:
    """Matrix (..., 3, 3) that turns the axes from `first` towards `second` by an angle."""
    angle = np.asarray(angle, np.float64)
    matrix = np.zeros((*angle.shape, 3, 3))
    matrix[..., 3 - first - second, 3 - first - second] = 1.0
    matrix[..., first, first] = matrix[..., second, second] = np.cos(angle)
    matrix[..., first, second] = np.sin(angle)
    matrix[..., second, first] = -np.sin(angle)
    return matrix
