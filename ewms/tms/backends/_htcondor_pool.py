"""Calls to an HTCondor schedd, off the event loop. Only `htcondor2` will do: the older bindings are gone since 25.0.

The bindings release the interpreter while they wait, but are not safe in several threads, so all calls of a process go
through one. Schedd objects go stale when their pool restarts: each call makes its own, which costs less than a millisecond.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

from ewms.core.errors import EwmsError, UsageError
from ewms.tms.backend import BackendRefused, BackendUnavailable

T = TypeVar("T")
_THREAD = ThreadPoolExecutor(max_workers=1, thread_name_prefix="htcondor")
_PATIENCE = 20.0
_CLUSTER_AD = 1 << 7
"""`SetAttribute_PostSubmitClusterChange`, which `condor_qedit` uses: change the cluster ad too, which later jobs inherit."""
_RUNNING = 2
_HELD = 5
_REMOVED = 3
_BY_HOLD, _BY_REMOVAL = 1, 3


class Cluster(NamedTuple):
    """A cluster as the schedd has it."""

    number: int
    """`ClusterId`."""
    marks: dict[str, Any]
    """Attributes that were asked for."""
    is_paused: bool
    """It makes no new jobs for now: a person holds it, or it is to have none."""
    is_removed: bool
    """It makes no new jobs any more, and ends with those that it has."""


class Job(NamedTuple):
    """A job as the schedd has it."""

    proc: int
    """`ProcId`."""
    status: int
    """`JobStatus`."""

    @property
    def is_running(self) -> bool:
        """Whether it has a slot."""
        return self.status == _RUNNING

    @property
    def is_held(self) -> bool:
        """Whether it is on hold."""
        return self.status == _HELD

    @property
    def is_ending(self) -> bool:
        """Whether it was removed, and is about to go."""
        return self.status == _REMOVED


class Pool:
    """One schedd.

    Parameters
    ----------
    config
        HTCondor's configuration file; empty for the system's.
    schedd
        Its name; empty for the one on this machine.
    """

    def __init__(self, config: str, schedd: str) -> None:
        self._config = config
        self._name = schedd

    async def submit(self, description: dict[str, str], count: int) -> int:
        """Submit a cluster; its number. `BackendRefused` if the schedd answers, but does not take it."""

        def act(condor: Any, schedd: Any) -> int:
            number: int = schedd.submit(condor.Submit(description), count=count).cluster()
            return number

        return await self._call(act)

    async def clusters(self, constraint: str, attributes: Sequence[str]) -> list[Cluster]:
        """Clusters whose own ad meets a constraint."""

        def act(condor: Any, schedd: Any) -> list[Cluster]:
            ads = schedd.query(
                f"ProcId =?= undefined && ({constraint})",
                ["ClusterId", "JobMaterializePaused", *attributes],
                opts=condor.QueryOpt.IncludeClusterAd,
            )
            return [_cluster(ad, attributes) for ad in ads]

        return await self._call(act)

    async def jobs(self, cluster: int) -> list[Job]:
        """Jobs of a cluster that are in the queue, by number."""

        def act(condor: Any, schedd: Any) -> list[Job]:
            ads = schedd.query(f"ClusterId == {cluster}", ["ProcId", "JobStatus"])
            return sorted(Job(ad["ProcId"], ad["JobStatus"]) for ad in ads)

        return await self._call(act)

    async def edit(self, cluster: int, changes: Iterable[tuple[str, str]]) -> None:
        """Change attributes of a cluster and of all its jobs, one after the other; nothing if it is gone."""

        def act(condor: Any, schedd: Any) -> None:
            if not schedd.query(f"ClusterId == {cluster}", ["ClusterId"], opts=condor.QueryOpt.IncludeClusterAd):
                return
            for attribute, value in changes:
                schedd.edit(cluster, attribute, value, condor.TransactionFlag(_CLUSTER_AD))

        await self._call(act)

    async def remove(self, cluster: int, reason: str, procs: Sequence[int] | None = None) -> None:
        """Remove a whole cluster, or some of its jobs. What is gone already is no error."""
        jobs = "true" if procs is None else f'stringListIMember(string(ProcId), "{",".join(map(str, procs))}")'
        constraint = f"ClusterId == {cluster}" if procs is None else f"ClusterId == {cluster} && {jobs}"

        def act(condor: Any, schedd: Any) -> None:
            # A bare reason would be dropped without a word.
            schedd.act(condor.JobAction.Remove, constraint, reason=(reason, None))

        await self._call(act)

    async def check_expression(self, text: str) -> None:
        """`BackendRefused` if this is neither empty nor a ClassAd expression."""

        def act(condor: Any, schedd: Any) -> None:
            import classad2

            try:
                classad2.ExprTree(text or "true")
            except classad2.ClassAdException:
                raise BackendRefused(f"requirements {text!r} are no ClassAd expression; correct them") from None

        await self._call(act)

    async def addresses(self) -> list[str]:
        """Where the schedd and all slots of its pool are reached, in HTCondor's spelling."""

        def act(condor: Any, schedd: Any) -> list[str]:
            collector = condor.Collector()
            kinds = (condor.AdType.Schedd, condor.AdType.Startd)
            return [ad["MyAddress"] for kind in kinds for ad in collector.query(kind, projection=["MyAddress"])]

        return await self._call(act)

    async def _call(self, act: Callable[[Any, Any], T]) -> T:
        """Do something with a fresh schedd object, with every error in words."""

        def work() -> T:
            condor = bindings(self._config)
            try:
                schedd = _locate(condor, self._name)
            except condor.HTCondorException as error:
                raise BackendUnavailable(f"HTCondor's schedd is not found: {_words(error)}") from error
            try:
                return act(condor, schedd)
            except condor.HTCondorException as error:
                raise _in_words(condor, schedd, error) from error
            except (ValueError, KeyError) as error:
                raise BackendRefused(f"HTCondor's bindings refuse this: {_words(error)}") from error

        try:
            async with asyncio.timeout(_PATIENCE):
                return await asyncio.get_running_loop().run_in_executor(_THREAD, work)
        except TimeoutError:
            raise BackendUnavailable(f"HTCondor's schedd has not answered for {_PATIENCE:g} s") from None


def bindings(config: str) -> Any:
    """The module `htcondor2`. Its configuration is the process's: the first one counts.

    Raises `UsageError` where it is not installed, or another configuration was read before.
    """
    if config:
        if os.environ.get("CONDOR_CONFIG", config) != config:
            raise UsageError(
                f"HTCondor's configuration {config} cannot be used beside {os.environ['CONDOR_CONFIG']} in one process; "
                "run one `ewms tms` for each"
            )
        os.environ["CONDOR_CONFIG"] = config
    configured = os.environ.get("CONDOR_CONFIG", "")
    # What the bindings themselves would say to that is several lines on stderr.
    if configured.startswith("/") and not os.path.exists(configured):
        raise UsageError(f"HTCondor's configuration {configured} is not there; correct CONDOR_CONFIG, or unset it")
    try:
        import htcondor2
    except ImportError:
        raise UsageError("HTCondor's bindings are not installed; pip install 'ewms[htcondor]'") from None
    return htcondor2


def _locate(condor: Any, name: str) -> Any:
    if not name:
        return condor.Schedd()
    location = condor.Collector().locate(condor.DaemonType.Schedd, name)
    if location is None:
        raise BackendUnavailable(f"the pool knows no schedd '{name}' at this time; see `condor_status -schedd`")
    return condor.Schedd(location)


def _in_words(condor: Any, schedd: Any, error: Exception) -> EwmsError:
    """The bindings have one exception for everything; whether the schedd still answers tells the two cases apart."""
    try:
        schedd.query("false")
    except condor.HTCondorException:
        return BackendUnavailable(f"HTCondor's schedd does not answer: {_words(error)}")
    return BackendRefused(f"HTCondor refuses this: {_words(error)}")


def _cluster(ad: Any, attributes: Sequence[str]) -> Cluster:
    code = ad.get("JobMaterializePaused", 0)
    marks = {name: ad[name] for name in attributes if name in ad}
    return Cluster(ad["ClusterId"], marks, is_paused=code == _BY_HOLD, is_removed=code == _BY_REMOVAL)


def _words(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
