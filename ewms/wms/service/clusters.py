"""The clusters of the configuration, as requests and the scheduler see them."""

from __future__ import annotations

from ewms.core.service.configuration import Configuration
from ewms.core.service.locations import Location, Locations


def locations_of(configuration: Configuration) -> Locations:
    """Clusters by all their names."""
    return Locations(
        Location(name=name, schedd=cluster.schedd or name, aliases=cluster.aliases)
        for name, cluster in configuration.clusters.items()
    )
