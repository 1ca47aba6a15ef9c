"""Files and pictures of a scan."""

from skymap_scanner.outputs.names import base_name
from skymap_scanner.outputs.products import map_files, partial_files, product_files
from skymap_scanner.outputs.skyreader import mirrored, read_result

__all__ = ["base_name", "map_files", "mirrored", "partial_files", "product_files", "read_result"]
