"""What goes to a target at once: the files of a map, and a list of them. Pure."""

from __future__ import annotations

import dataclasses
import fnmatch
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from skymap_scanner.skydriver.auto.policy import Stage
from skymap_scanner.skydriver.auto.publication import PublicationDocument

LIST: Final = "published.json"
"""Name of the list of files. It is written last: where it is there, all of them are."""
_IN_WEBHOOKS: Final = ("best_fit.json", "overview.json", "*.notice.json")
"""Files whose content a webhook is told."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Parcel:
    """The same for every attempt and every target, up to which files it wants."""

    folder: str
    """Relative place: event, scan and stage."""
    files: Mapping[str, bytes]
    """By name."""
    told: Mapping[str, Any]
    """What there is to say of it."""

    @property
    def inventory(self) -> bytes:
        """The content of `published.json`."""
        return json.dumps({**self.told, "files": self._listed()}, indent=2).encode() + b"\n"

    def message(self, link: str) -> bytes:
        """What a webhook is told.

        Parameters
        ----------
        link : URL of the folder of its files in the service, to which names are added.
        """
        files = [{**file, "url": f"{link}/{file['name']}"} for file in self._listed()]
        documents = {
            name: json.loads(content)
            for name, content in sorted(self.files.items())
            if any(fnmatch.fnmatchcase(name, pattern) for pattern in _IN_WEBHOOKS)
        }
        return json.dumps({**self.told, "files": files, "documents": documents}).encode()

    def _listed(self) -> list[dict[str, Any]]:
        return [
            {"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in sorted(self.files.items())
        ]


def parcel_of(
    publication: PublicationDocument, stage: Stage, files: Mapping[str, bytes], patterns: tuple[str, ...]
) -> Parcel:
    """Pack files for a publication.

    Parameters
    ----------
    files : by name.
    patterns : names that the target wants, with `*` for any letters.
    """
    told = {
        "event": publication.event,
        "scan_id": publication.scan_id,
        "alert_id": publication.alert_id,
        "rule": publication.rule,
        "stage": stage,
        "state": "running" if stage == "partial" else publication.ended,
        **({"reason": publication.reason} if stage == "final" and publication.reason else {}),
        **({"partial": publication.partial} if stage == "partial" else {}),
    }
    wanted = {name: content for name, content in files.items() if any(fnmatch.fnmatchcase(name, one) for one in patterns)}
    return Parcel(folder=f"{publication.event}/{publication.scan_id}/{stage}", files=wanted, told=told)
