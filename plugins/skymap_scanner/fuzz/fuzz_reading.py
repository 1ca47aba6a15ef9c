"""Coverage-guided fuzzing of the event reader: whatever the bytes, an event or one `EventError`.

The first byte chooses the layer, so that the fuzzer gets behind base64, compression and checksums. Run it with seeds:

    python plugins/skymap_scanner/fuzz/fuzz_reading.py CORPUS -max_total_time=600 -timeout=10

`make soak` does so for a minute (`tests/reading/test_fuzz.py`). A crash is kept as a file; given as
argument, it runs again.
"""

from __future__ import annotations

import binascii
import sys
from collections.abc import Callable

import atheris  # type: ignore[import-not-found, import-untyped, unused-ignore]

with atheris.instrument_imports(include=["skymap_scanner.reading", "skymap_scanner.hits"]):
    from skymap_scanner.errors import EventError
    from skymap_scanner.hits import cleaned
    from skymap_scanner.reading import load_alert_bytes, native, pickled
    from skymap_scanner.reading.frame import parse
    from skymap_scanner.reading.objects import decode
    from skymap_scanner.reading.packet import Packet


def _whole(data: bytes) -> None:
    alert = load_alert_bytes(data, "fuzz")
    cleaned(alert.pulses)
    again = native.dumps(native.loads(native.dumps(alert)))
    if again != native.dumps(alert):
        message = "the plugin's own format is not canonical"
        raise AssertionError(message)


def _frame(data: bytes) -> None:
    """Version 5 with the right checksum round whatever the frame says, and then its objects."""
    checksum = binascii.crc_hqx(data, 0xFFFF).to_bytes(4, "little")
    packet = Packet([parse(b"[i3]\5\0\0\0\0\0" + data + checksum)])
    for name in packet.names:
        packet.pulses(name)


LAYERS: tuple[Callable[[bytes], object], ...] = (
    _whole,
    _frame,
    decode,
    pickled.plain_data,
    pickled.frame_bytes,
    native.loads,
)


def one_input(data: bytes) -> None:
    """Read once; anything but success and `EventError` is a finding."""
    if not data:
        return
    try:
        LAYERS[data[0] % len(LAYERS)](data[1:])
    except EventError as error:
        if "\n" in str(error):
            message = f"more than one line: {error}"
            raise AssertionError(message) from error


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
