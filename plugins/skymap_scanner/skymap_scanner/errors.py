"""What can be wrong with a scan's input. All are the user's to mend: one line, exit code 2."""

from __future__ import annotations

from ewms import InputError, UsageError


class EventError(InputError):
    """The event cannot be read; give an i3live alert (.json or .pkl) or the plugin's own JSON."""


class NoSignal(EventError):
    """The event has no usable pulses, so there is nothing to reconstruct."""


class ScanError(UsageError):
    """The scan cannot be carried out as asked; see `skymap-scanner scan --help`."""
