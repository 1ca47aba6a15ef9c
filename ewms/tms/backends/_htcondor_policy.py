"""What becomes of a worker that fails or is held, as expressions that the schedd evaluates: they work while no TMS runs.

A pilot that ends well leaves the queue, and the schedd starts the next one in its place. One that fails is put on hold with
its exit code as reason, waits, and is tried again, on another slot if there is one. After some tries, or when a person
holds it, it is removed after a while, and another takes its place.
"""

from __future__ import annotations

from ewms.tms.backends._htcondor_classad import conjunction, quoted
from ewms.tms.backends._htcondor_holds import BY_PERSON, SPOOLING
from ewms.tms.backends._htcondor_settings import HtcondorSettings

KILL_MARGIN = 15.0
"""Seconds that a pilot has beyond its grace before its slot kills it: for its last reports and its own end."""


def policy(settings: HtcondorSettings) -> dict[str, str]:
    """Submit commands.

    `NumShadowStarts` counts the tries, because `NumHolds` may jump by more than one.
    """
    failed = "ExitBySignal =?= true || ExitCode =!= 0"
    how = 'ifThenElse(ExitBySignal =?= true, strcat("signal ", ExitSignal), strcat("exit code ", ExitCode))'
    by_person = " || ".join(f"HoldReasonCode == {code}" for code in sorted(BY_PERSON))
    tried_out = f"(NumShadowStarts ?: 0) >= {settings.max_tries}"
    release = (f"!({by_person})", f"HoldReasonCode != {SPOOLING}", f"!({tried_out})", _held_for(settings.hold_seconds))
    gone = (
        "JobStatus == 5",
        f"({conjunction((by_person, _held_for(settings.admin_hold_seconds)))}) || "
        f"({conjunction((tried_out, f'!({by_person})', _held_for(settings.hold_seconds)))})",
    )
    return {
        "on_exit_hold": failed,
        "on_exit_hold_reason": f'strcat("the pilot ended with ", {how})',
        "on_exit_hold_subcode": "ifThenElse(ExitBySignal =?= true, ExitSignal, ExitCode)",
        "periodic_release": conjunction(release),
        "periodic_release_reason": quoted("ewms tries it again"),
        "periodic_remove": conjunction(gone),
        "periodic_remove_reason": quoted("ewms replaces a worker that stays on hold"),
    }


def draining(grace: float) -> dict[str, str]:
    """Submit commands by which a pilot that is to end gets SIGTERM and time to give its events back.

    Parameters
    ----------
    grace
        Seconds that the pilot takes at most to finish what it holds.
    """
    return {
        "kill_sig": "SIGTERM",
        "want_graceful_removal": "true",
        "job_max_vacate_time": str(round(grace + KILL_MARGIN)),
    }


def _held_for(seconds: float) -> str:
    return f"time() - EnteredCurrentStatus >= {seconds:g}"
