"""Which execution sites lose workers: scores that fade, and exclusions that expire. Pure: the clock is passed in."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ewms.core.service.report import SiteScore

HALF_LIFE = 3600.0
"""Seconds after which a loss or a success counts half."""
EXCLUSION = 1800.0
"""Seconds for which a bad site gets no worker; then it starts anew."""
MIN_EVIDENCE = 5.0
"""Losses at a site before it is judged at all, and workers elsewhere that it is compared with."""
MIN_RATE = 0.5
"""Part of its workers that a bad site loses, at least."""
TIMES_WORSE = 3.0
"""How much more than the other sites together."""
_NEGLIGIBLE = 0.01


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """How workers fared at a site."""

    losses: float = 0.0
    """Workers lost, faded as of `at`."""
    successes: float = 0.0
    """Workers that ended well, faded as of `at`."""
    at: float
    """Seconds on a monotonic clock."""
    excluded_until: float | None = None
    """On the same clock; None if it is not excluded."""

    @property
    def total(self) -> float:
        """Workers, faded."""
        return self.losses + self.successes

    def faded(self, now: float) -> Site:
        """The same site as of a later time; an exclusion that is over is forgotten."""
        part = 0.5 ** (max(0.0, now - self.at) / HALF_LIFE)
        until = self.excluded_until if self.excluded_until is not None and self.excluded_until > now else None
        return Site(losses=self.losses * part, successes=self.successes * part, at=max(now, self.at), excluded_until=until)


Sites = Mapping[str, Site]


def observe(sites: Sites, losses: Mapping[str, int], successes: Mapping[str, int], now: float) -> dict[str, Site]:
    """The sites after some more workers ended, with those excluded that are much worse than the rest.

    The last site that is known and not excluded never is.
    """
    after = {name: site.faded(now) for name, site in sites.items()}
    for name in losses.keys() | successes.keys():
        site = after.get(name, Site(at=now))
        after[name] = msgspec.structs.replace(
            site, losses=site.losses + losses.get(name, 0), successes=site.successes + successes.get(name, 0)
        )
    open_sites = {name: site for name, site in after.items() if site.excluded_until is None}
    for name in sorted(open_sites, key=lambda name: (-_rate(after[name]), name)):
        if _is_much_worse(open_sites[name], [site for other, site in open_sites.items() if other != name]):
            after[name] = Site(at=now, excluded_until=now + EXCLUSION)
            del open_sites[name]
    return {name: site for name, site in after.items() if site.total > _NEGLIGIBLE or site.excluded_until is not None}


def scores(sites: Sites, now: float) -> dict[str, SiteScore]:
    """What the service is told of each site."""
    faded = {name: site.faded(now) for name, site in sites.items()}
    return {
        name: SiteScore(
            losses=round(site.losses, 3),
            successes=round(site.successes, 3),
            excluded_for=0.0 if site.excluded_until is None else round(site.excluded_until - now, 3),
        )
        for name, site in faded.items()
    }


def _is_much_worse(site: Site, others: list[Site]) -> bool:
    losses, total = sum(other.losses for other in others), sum(other.total for other in others)
    if site.losses < MIN_EVIDENCE or total < MIN_EVIDENCE:
        return False
    return _rate(site) >= max(MIN_RATE, TIMES_WORSE * (losses / total))


def _rate(site: Site) -> float:
    return site.losses / site.total if site.total else 0.0
