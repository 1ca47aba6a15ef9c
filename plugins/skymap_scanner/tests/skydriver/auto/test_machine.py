"""Whatever dies whenever: every alert that was taken ends in its scans, once, and every map reaches its targets."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from ewms.services import Conflict, Delete, Insert, Page, Query, Replace, Stored, StoreError
from skymap_scanner.event import Alert, EventHeader
from skymap_scanner.pulses import PULSE
from skymap_scanner.reading import native
from skymap_scanner.skydriver.auto.alert import AlertDocument, alert_id
from skymap_scanner.skydriver.auto.collections import ALERTS, PUBLICATIONS
from skymap_scanner.skydriver.auto.digest import content_digest
from skymap_scanner.skydriver.auto.intake import Intake
from skymap_scanner.skydriver.auto.outbox import Outbox
from skymap_scanner.skydriver.auto.parcel import Parcel
from skymap_scanner.skydriver.auto.policy import ScanPlan, Stage, Target
from skymap_scanner.skydriver.auto.policy_file import parse_policy
from skymap_scanner.skydriver.auto.policy_keeper import PolicyKeeper
from skymap_scanner.skydriver.auto.ports import Progress
from skymap_scanner.skydriver.auto.publication import PublicationDocument
from skymap_scanner.skydriver.auto.publishing import Publishing
from skymap_scanner.skydriver.auto.spool import Spool
from skymap_scanner.skydriver.auto.starting import Starting
from skymap_scanner.skydriver.auto.targets import Targets, Undelivered

T = TypeVar("T")
POLICIES = [
    '[targets.a]\nfolder = "/a"\n[targets.b]\nfolder = "/b"\n[[rules]]\nname = "two"\nwhen = { type = "gold" }\n'
    'scans = [{}, { reco = "dummy" }]\npublish = ["a", "b"]\n[[rules]]\nname = "none"\nscans = []\n',
    '[targets.a]\nfolder = "/a"\nstages = ["final"]\n[targets.b]\nfolder = "/b"\n[[rules]]\nname = "one"\npublish = ["a"]\n',
    "[[rules]]\nname = 3\n",
]
"""The last one is wrong."""


def _event(number: int, kind: str, charge: float) -> bytes:
    header = EventHeader(run_id=118_000, event_id=number, mjd=58_000.25, event_type=kind)
    return native.dumps(Alert(header=header, pulses=np.array([(20, 30, 1.0, charge, 1.0, 1)], PULSE)))


MEMORY = Path("/dev/shm")
"""Where each file need not wait for a disk."""
EVENTS = [_event(1, "gold", 1.0), _event(1, "gold", 2.0), _event(2, "gold", 1.0), _event(3, "", 1.0)]
"""The second is a revision of the first."""


class Died(BaseException):
    """The process is gone."""


class World:
    """What outlives a process: store, scans, targets. It is also what makes the process die."""

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Stored]] = defaultdict(dict)
        self.kept: dict[str, bytes] = {}
        self.scans: dict[str, str] = {}
        self.progress: dict[str, Progress] = {}
        self.away: set[str] = set()
        self.received: dict[tuple[str, str], list[str]] = defaultdict(list)
        self.names: dict[str, set[str]] = defaultdict(set)
        self.now = 1000.0
        self.steps_left: int | None = None

    def step(self) -> None:
        """Before and after everything that a process does to the world."""
        if self.steps_left == 0:
            raise Died
        if self.steps_left is not None:
            self.steps_left -= 1

    async def get(self, collection: str, key: str) -> Stored | None:
        self.step()
        return self.documents[collection].get(key)

    async def find(
        self,
        collection: str,
        query: Query | None = None,
        *,
        order: Sequence[tuple[str, bool]] = (),
        after: str | None = None,
        limit: int = 100,
    ) -> Page:
        self.step()
        found = [stored for stored in self.documents[collection].values() if query is None or query.matches(stored.body)]
        for key, descends in reversed(order):
            found.sort(key=lambda stored: stored.body[key], reverse=descends)
        return Page(found[:limit], None)

    async def count(self, collection: str, query: Query | None = None) -> int:
        return len((await self.find(collection, query, limit=10**9)).items)

    async def write(self, *changes: Insert | Replace | Delete) -> None:
        self.step()
        for change in changes:
            stored = self.documents[change.collection].get(change.key)
            if isinstance(change, Insert) and stored is not None:
                raise Conflict("it exists")
            if isinstance(change, Replace) and (stored is None or stored.version != change.version):
                raise Conflict("it is another version")
        for change in changes:
            assert not isinstance(change, Delete)
            version = change.version + 1 if isinstance(change, Replace) else 1
            self.documents[change.collection][change.key] = Stored(change.key, version, change.body)
        self.step()

    async def keep(self, data: bytes) -> str:
        self.step()
        self.kept[str(hash(data))] = data
        self.step()
        return str(hash(data))

    async def start(self, alert: AlertDocument, plan: ScanPlan, key: str) -> str:
        self.step()
        if plan.reco == "dummy" and "full" in self.away:
            raise StoreError("the disk is full")
        assert alert.content in self.kept
        scan_id = self.scans.setdefault(key, f"S{len(self.scans)}")
        self.progress.setdefault(scan_id, Progress(0))
        self.step()
        return scan_id

    async def progress_of(self, scan_id: str) -> Progress:
        self.step()
        return self.progress[scan_id]

    async def link(self, scan_id: str, stage: Stage) -> str:
        return ""

    async def files(self, scan_id: str, stage: Stage) -> dict[str, bytes]:
        self.step()
        found = self.progress[scan_id]
        if stage == "partial":
            return {} if found.ended else {"partial.json": str(found.partial).encode()}
        return {"map.fits": b"map", "best_fit.json": b"{}"}


class OfWorld:
    """The scanner's side of it."""

    def __init__(self, world: World) -> None:
        self.keep, self.start, self.files = world.keep, world.start, world.files
        self.progress, self.link = world.progress_of, world.link


class ToWorld(Targets):
    """Targets that note what they get."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def send(self, name: str, target: Target, parcel: Parcel, delivery_id: str, link: str) -> None:
        self._world.step()
        if name in self._world.away:
            raise Undelivered("away")
        what = f"{parcel.told['stage']} {parcel.told.get('partial', '')}".strip()
        self._world.received[parcel.told["scan_id"], name].append(what)
        self._world.names[delivery_id].add(f"{parcel.folder} {sorted(parcel.files)}")
        if parcel.told["stage"] == "partial":
            assert parcel.files["partial.json"] == str(parcel.told["partial"]).encode()
        self._world.step()


class Machine(RuleBasedStateMachine):
    """Anything may happen in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None))
        self.world = World()
        self.taken: set[str] = set()
        self.seen: dict[str, str] = {}
        self.choose(0)
        self.begin()
        self.an_alert_comes(0, None)

    def begin(self) -> None:
        """A new process."""
        world, scanner = self.world, OfWorld(self.world)
        world.steps_left = None
        clock = lambda: world.now  # noqa: E731
        policy, spool = PolicyKeeper(self.folder / "policy.toml"), Spool(self.folder / "spool")
        self.intake = Intake(world, scanner, clock)
        self.starting = Starting(world, scanner, policy, clock)
        self.publishing = Publishing(world, scanner, policy=policy, spool=spool, partial_every=10.0, now=clock)
        self.outbox = Outbox(world, scanner, policy=policy, spool=spool, targets=ToWorld(world), now=clock)

    def do(self, work: Coroutine[Any, Any, T], steps: int | None = None) -> T | None:
        """Let the process work; None where it died after so many steps."""
        self.world.steps_left = steps
        try:
            result = self.runner.run(work)
        except Died:
            result = None
        if self.world.steps_left == 0:
            self.begin()
        self.world.steps_left = None
        return result

    @rule(number=st.sampled_from(range(len(EVENTS))), steps=st.none() | st.integers(0, 30))
    def an_alert_comes(self, number: int, steps: int | None) -> None:
        async def take() -> bool:
            receipt = await self.intake.take(EVENTS[number], way="post", sender="ada", owner="ada")
            self.taken.add(receipt.alert.alert_id)
            await self.starting.start(receipt.alert.alert_id)
            return True

        self.do(take(), steps)

    @rule(steps=st.none() | st.integers(0, 30))
    def what_is_due_is_started(self, steps: int | None) -> None:
        self.do(self._start_due(), steps)

    @rule(steps=st.none() | st.integers(0, 30))
    def scans_are_looked_at(self, steps: int | None) -> None:
        self.do(self._note(), steps)

    @rule(steps=st.none() | st.integers(0, 30))
    def what_is_due_is_sent(self, steps: int | None) -> None:
        self.do(self._send(), steps)

    @rule(data=st.data())
    def a_scan_gets_on(self, data: st.DataObject) -> None:
        for scan_id, progress in self.world.progress.items():
            if not progress.ended or progress.ended == "failed":
                end = data.draw(st.sampled_from(["", "", "", "complete", "failed", "cancelled"]))
                self.world.progress[scan_id] = Progress(progress.partial + 1, end)  # type: ignore[arg-type]

    @rule(away=st.sets(st.sampled_from(["a", "b", "full"])))
    def targets_come_and_go(self, away: set[str]) -> None:
        self.world.away = away

    @rule(seconds=st.sampled_from([1, 5, 100]))
    def time_passes(self, seconds: int) -> None:
        self.world.now += seconds

    @rule(number=st.sampled_from(range(len(POLICIES))))
    def choose(self, number: int) -> None:
        """Another policy."""
        (self.folder / "draft").write_text(POLICIES[number])
        (self.folder / "draft").rename(self.folder / "policy.toml")

    @rule()
    def the_process_is_killed(self) -> None:
        self.begin()

    async def _start_due(self) -> None:
        for key in await self.starting.due():
            await self.starting.start(key)

    async def _note(self) -> None:
        for scan_id in sorted(await self.publishing.awaited()):
            await self.publishing.note(scan_id)

    async def _send(self) -> None:
        await self.outbox.send_due()
        tasks = [*self.outbox._under_way.values()]
        for failure in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(failure, BaseException):
                raise failure

    def teardown(self) -> None:
        """All is well again at last: now everything must come to its end."""
        try:
            self._settle()
            self._check_scans()
            self._check_publications()
        finally:
            self.runner.close()
            shutil.rmtree(self.folder)

    def _settle(self) -> None:
        self.world.away = set()
        self.choose(0)
        self.begin()
        for number in itertools.count():
            before = repr(self.world.documents)
            self.world.now += 400
            for work in (self._start_due(), self._note(), self._send()):
                self.do(work)
            if number == 1:
                for scan_id, progress in self.world.progress.items():
                    if progress.ended in {"", "failed"}:
                        self.world.progress[scan_id] = Progress(progress.partial, "complete")
            if number > 2 and repr(self.world.documents) == before:
                return
            assert number < 20, "it never comes to rest"

    def _check_scans(self) -> None:
        alerts = [AlertDocument.model_validate(stored.body) for stored in self.world.documents[ALERTS].values()]
        assert self.taken <= {alert.alert_id for alert in alerts}, "an alert that was taken is lost"
        policies = {parse_policy(text.encode(), "x").version: parse_policy(text.encode(), "x") for text in POLICIES[:2]}
        keys = set()
        for alert in alerts:
            assert alert.policy is not None
            wanted = policies[alert.policy].policy.rule_for(alert.facts)
            assert wanted is not None
            assert (alert.rule, [scan.plan for scan in alert.scans]) == (wanted.name, list(wanted.scans))
            assert alert.state == ("started" if wanted.scans else "ignored")
            for number, scan in enumerate(alert.scans):
                key = f"{alert.alert_id}-{number}"
                keys.add(key)
                assert self.world.scans[key] == scan.scan_id
        assert set(self.world.scans) == keys, "a scan that nobody wanted, or a second one"
        revised = [alert for alert in alerts if alert.facts.event == 1]
        assert len([alert for alert in revised if alert.revision_of]) == max(0, len(revised) - 1)

    def _check_publications(self) -> None:
        found = [PublicationDocument.model_validate(stored.body) for stored in self.world.documents[PUBLICATIONS].values()]
        alerts = [AlertDocument.model_validate(stored.body) for stored in self.world.documents[ALERTS].values()]
        expected = {f"{scan.scan_id}.{target}" for alert in alerts for scan in alert.scans for target in alert.publish}
        assert {publication.publication_id for publication in found} == expected
        for publication in found:
            assert publication.state == "done"
            got = self.world.received[publication.scan_id, publication.target]
            assert "final" in got
            partial = [int(what.removeprefix("partial ")) for what in got if what != "final"]
            assert partial == sorted(partial), "an older partial result comes after a newer one"
            if publication.partial and publication.target == "b":
                assert publication.partial in partial, "a partial result that was kept never came"
                last = got.index(f"partial {publication.partial}")
                assert last < len(got) - 1, "the finished map comes last"
            assert got[-1] == "final"
        assert all(len(names) == 1 for names in self.world.names.values()), "a repeat has other names"
        assert not any((self.folder / "spool").glob("*/*")), "partial results are left"


def test_alert_ids() -> None:
    from skymap_scanner.reading import load_alert_bytes

    ids = {alert_id(content_digest(load_alert_bytes(event, "event"))) for event in EVENTS}
    assert len(ids) == len(EVENTS)


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=20, stateful_step_count=25, deadline=None)
