"""What Linux knows of processes: tying them to their parent, measuring and killing them with all they started."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence

_PR_SET_PDEATHSIG = 1
_PAGE = os.sysconf("SC_PAGE_SIZE")
IN_A_WORKER = {"EWMS_WORKER": "1"}
"""By this `ewms.map` knows that an unguarded script is only being imported."""
_OF_THE_PILOT = ("EWMS_PILOT_", "_EWMS_PILOT_")
_prctl = ctypes.CDLL(None).prctl


def die_with_parent(parent: int, death_signal: signal.Signals) -> bool:
    """Have the kernel send that signal when the parent dies; False if `parent` is gone already."""
    _prctl(_PR_SET_PDEATHSIG, int(death_signal))
    return os.getppid() == parent


def task_environment(own: Mapping[str, str]) -> dict[str, str]:
    """The pilot's environment without its own settings, which may hold credentials, and with the task's on top."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_OF_THE_PILOT)} | dict(own)


def spawn(
    argv: Sequence[str],
    environment: Mapping[str, str],
    cwd: str | None = None,
    pass_fds: Sequence[int] = (),
    *,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.PIPE,
    is_tied: bool = True,
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own that does not outlive this one; its output comes through pipes.

    Parameters
    ----------
    is_tied
        False for a command line that sees to it by itself. A pilot need not copy itself for that, which costs more than most
        programs take to start.

    Raises
    ------
    OSError
        The program or the folder cannot be used.
    """
    return subprocess.Popen(
        argv,
        env=environment,
        cwd=cwd,
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
        bufsize=0,
        pass_fds=pass_fds,
        start_new_session=True,
        preexec_fn=_tie_to(os.getpid()) if is_tied else None,  # noqa: PLW1509  one system call, prepared before the fork
    )


def _tie_to(parent: int) -> Callable[[], None]:
    def tie() -> None:
        if not die_with_parent(parent, signal.SIGKILL):
            os._exit(1)

    return tie


def kill_tree(pid: int) -> None:
    """SIGKILL a child that is not reaped yet, its process group and its descendants in other groups."""
    descendants = _tree(pid)[1:]
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    for descendant in descendants:
        with contextlib.suppress(ProcessLookupError):
            os.kill(descendant, signal.SIGKILL)


def memory_above(pid: int, limit: int) -> int | None:
    """Bytes of memory of a process and its descendants where that is above the limit, else None.

    Pages that they share count once: the costly exact figure is taken only where the cheap upper bound is above.
    """
    pids = _tree(pid)
    if _total(pids, _resident) <= limit:
        return None
    used = _total(pids, _proportional)
    return used if used > limit else None


def _tree(pid: int) -> list[int]:
    """The process and its descendants, parents first."""
    pids = [pid]
    for parent in pids:  # grows while it is walked
        with contextlib.suppress(OSError):
            for thread in os.listdir(f"/proc/{parent}/task"):
                with open(f"/proc/{parent}/task/{thread}/children", encoding="ascii") as children:
                    pids.extend(int(child) for child in children.read().split())
    return pids


def _total(pids: Iterable[int], measure: Callable[[int], int]) -> int:
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):  # it has ended meanwhile
            total += measure(pid)
    return total


def _resident(pid: int) -> int:
    with open(f"/proc/{pid}/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * _PAGE


def _proportional(pid: int) -> int:
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as smaps:
        for line in smaps:
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
