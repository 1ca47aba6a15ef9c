"""Why HTCondor holds a job, in words, by its hold reason codes."""

from __future__ import annotations

import os

BY_PERSON = frozenset({1, 15})
"""Codes of holds that people asked for, which only people end; such a worker is replaced."""
BY_POLICY = 3
"""Code of holds by the job's own policy: with ours, its pilot has ended with an error, and the reason says with which."""
SPOOLING = 16
"""Code of a job that waits for its input files, which is no fault."""

_WORDS = {
    0: "HTCondor gave no reason",
    1: "put on hold by a person",
    2: "Globus failed",
    3: "the pilot failed",
    4: "its credentials are not valid",
    5: "its policy could not be evaluated",
    6: "the pilot could not be started",
    7: "its stdout or stderr could not be opened",
    8: "its stdin could not be opened",
    9: "its stdout or stderr could not be streamed",
    10: "its stdin could not be streamed",
    11: "the transfer of files broke off",
    12: "files could not be written at the other end of their transfer",
    13: "files could not be read for their transfer",
    14: "its working folder cannot be used",
    15: "submitted on hold",
    16: "waits for its input files",
    17: "access point and slot are of versions that do not fit",
    18: "the transfer of files was not agreed on",
    19: "the slot's hook could not prepare it",
    20: "the time for which it was scheduled is over",
    21: "the slot refused it",
    22: "its event log cannot be written",
    23: "its user account cannot be used",
    24: "the access point has no shadow for it",
    25: "its schedule is not valid",
    26: "the site's policy held it",
    27: "the site's policy could not be evaluated",
    28: "its folder could not be given to it",
    29: "its folder could not be given to it",
    30: "its folder could not be taken back",
    31: "its folder could not be taken back",
    32: "its input files are larger than allowed",
    33: "its output files are larger than allowed",
    34: "it used more memory or disk than it asked for",
    35: "the container image is not valid",
    36: "its checkpoint failed",
    43: "the script before it failed",
    44: "the script after it failed",
    45: "the slot cannot run containers",
    46: "it ran longer than allowed",
    47: "it executed longer than allowed",
    48: "the access point's hook could not prepare it",
}
_WITH_ERRNO = frozenset({6, 7, 8, 9, 10, 12, 13, 14})
_MAX = 160


def in_words(code: int, subcode: int, reason: str) -> str:
    """One line that says why a job is held, the same for all that are held for the same reason.

    Parameters
    ----------
    code, subcode
        `HoldReasonCode` and `HoldReasonSubCode`.
    reason
        `HoldReason`, in HTCondor's words, which name slots and files; empty if it gave none.
    """
    said = " ".join(reason.split())
    if code == BY_POLICY and said:
        return said[:_MAX]
    words = _WORDS.get(code, f"hold code {code}")
    if code in _WITH_ERRNO and subcode > 0:
        return f"{words}: {os.strerror(subcode)}"
    return f"{words}: {said}"[:_MAX] if said and (code in BY_PERSON or code not in _WORDS) else words
