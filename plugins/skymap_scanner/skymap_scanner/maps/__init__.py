"""From likelihoods of pixels to maps, contours and areas."""

from skymap_scanner.maps.overview import overview, summary
from skymap_scanner.maps.skymap import SkyMap

__all__ = ["SkyMap", "overview", "summary"]
