"""References to large bodies in what pilots report: only such as their blob store makes are followed.

A reference names a place to read from, and whoever can report for a workflow could name any file or address of the driver's
host. So each is checked before it is accepted; what is in the journal can be followed.
"""

from __future__ import annotations

import msgspec

from ewms.blobs import BlobStore
from ewms.core import wire
from ewms.core.codecs import REFERENCE_MARK
from ewms.core.wire import Failure, Kind, RawResult, Report
from ewms.wms.hosting import decode_outputs

REFUSED = "an output cannot be read, or is a reference to where no bodies of this workflow are"
_MARK = REFERENCE_MARK.encode()
_SHORT_TEXT = range(0xA0, 0xC0)
"""First bytes of msgpack's texts of less than 32 bytes."""
_LONG_TEXTS = ((2, 0xD9), (3, 0xDA), (5, 0xDB))
"""How far before a longer text its first byte is, and which that is."""


def screened(body: bytes, reports: list[Report], store: BlobStore) -> list[Report]:
    """The reports of a message, with results that refer to elsewhere as failures.

    Parameters
    ----------
    body
        The message, in which there is no reference if no text begins with the mark.
    """
    return [_screened(report, store) for report in reports] if _may_refer(body) else reports


def _may_refer(body: bytes) -> bool:
    """Whether a text may begin with the mark: in numbers, that byte is in most messages."""
    at = body.find(_MARK)
    while at >= 0:
        if body[at - 1] in _SHORT_TEXT or any(at >= far and body[at - far] == first for far, first in _LONG_TEXTS):
            return True
        at = body.find(_MARK, at + 1)
    return False


def _screened(report: Report, store: BlobStore) -> Report:
    refused = [result for result in report.results if not _is_good(result, store)]
    if not refused:
        return report
    failures = [Failure(result.id, result.attempt, Kind.FAILED, REFUSED, {"type": "reference"}) for result in refused]
    kept = [result for result in report.results if result not in refused]
    return msgspec.structs.replace(report, results=kept, failures=[*report.failures, *failures])


def _is_good(result: RawResult, store: BlobStore) -> bool:
    try:
        outputs: list[wire.WireOutput] = decode_outputs(result.outputs)
    except msgspec.MsgspecError:
        return False
    return all(not output.codec.startswith(REFERENCE_MARK) or store.made(output.data) for output in outputs)
