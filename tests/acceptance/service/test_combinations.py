"""End to end on the combinations of store, broker and launcher that a site would run; each is a parameter by its name.

Those without `soak` run everywhere: each store and each broker is among them, on a pool. The rest is for `make soak`; what a
user has on one machine, the launcher `local` with SQLite and NATS, is in `test_dev.py`.
MongoDB is SecantusDB here, a stand-in, unless `EWMS_TEST_MONGO_URI` names a real one.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from ewms.core.errors import WorkflowCancelled
from tests.acceptance.service.test_htcondor import contents, ewms
from tests.support import secantus
from tests.support.condor import CondorPool, condor_pool
from tests.support.dev_tree import wait_until
from tests.support.rabbitmq import RabbitmqServer, why_not
from tests.support.site import PARTS, Site, running_site
from tests.support.site_brokers import SiteBroker, SiteNats, SiteRabbitmq
from tests.support.site_work import (
    HIDDEN,
    accepted,
    check_nothing_left,
    check_product,
    kill_part,
    kill_starter,
    make_haste,
    submit,
    wait_accepted,
)

__all__ = ["condor_pool"]

pytestmark = pytest.mark.timeout(600)
_EVERYWHERE = ("sqlite-nats-htcondor", "mongo-rabbitmq-htcondor")
_MORE = (
    "sqlite-rabbitmq-local",
    "sqlite-rabbitmq-htcondor",
    "mongo-nats-htcondor",
    "mongo-nats-local",
    "mongo-rabbitmq-local",
    "sqlite-nats-local",
)
COMBINATIONS = [*_EVERYWHERE, *(pytest.param(name, marks=pytest.mark.soak) for name in _MORE)]
_WRITERS = frozenset({"serve", "drive"})
"""Parts that write to the store."""
_SPEC = """
name = "squares"

[[tasks]]
name = "square"
python = "work:square"
input = "numbers"
output = "squares"
retry = {max_failures = 1}
"""
_WORK = """
def square(number):
    if number == 13:
        raise ValueError("unlucky")
    return number * number
"""


@pytest.fixture(scope="module")
def managed_rabbitmq(tmp_path_factory: pytest.TempPathFactory, authority: trustme.CA) -> Iterator[RabbitmqServer]:
    """One that can make users."""
    if (reason := why_not()) is not None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    server = RabbitmqServer(tmp_path_factory.mktemp("managed") / "server", authority, with_management=True)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module", params=COMBINATIONS)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A running one of each combination, one after the other."""
    store, broker, launcher = request.param.split("-")
    url, pool = "", None
    served: SiteBroker = SiteNats()
    with contextlib.ExitStack() as stack:
        if store == "mongo":
            url = secantus.database_url(request.getfixturevalue("mongo"), f"ewms-site-{uuid.uuid4().hex[:12]}")
        if broker == "rabbitmq":
            served = SiteRabbitmq(request.getfixturevalue("managed_rabbitmq"))
        if launcher == "htcondor":
            found: CondorPool = request.getfixturevalue("condor_pool")
            stack.enter_context(found.used())
            pool = found
        folder = tmp_path_factory.mktemp("site") / "site"
        yield stack.enter_context(running_site(folder, pool, store=url, broker=served))


def test_the_product_is_that_of_a_local_run_and_failures_are_explained(site: Site, tmp_path: Path) -> None:
    flow = tmp_path / "flow"
    flow.mkdir()
    (flow / "workflow.toml").write_text(_SPEC)
    (flow / "work.py").write_text(_WORK)
    (tmp_path / "numbers.jsonl").write_text("".join(f"{number}\n" for number in range(40)))
    arguments = ("flow", "--input", "numbers.jsonl")
    said = ewms(tmp_path, "submit", *arguments, "--wait", "--out", "remote", site=site)
    workflow = next(word for word in said.split() if word.startswith("WF-"))
    ewms(tmp_path, "run", *arguments, "--out", "local", "--workers", "2")
    products = [contents(tmp_path / where / "product") for where in ("remote", "local")]
    assert products[0] == products[1] != {}
    assert "unlucky" in ewms(tmp_path, "why", workflow, site=site)
    ewms(tmp_path, "dead-letters", "replay", workflow, site=site)
    with site.session() as session:
        found = session.workflow(workflow)
        wait_until(lambda: len(list(found.logs())) == 2, f"another attempt: {site.logs()}")
        found.wait()
    check_nothing_left(site)


def killable(combination: str) -> tuple[str, ...]:
    """Parts that may be killed. SecantusDB never ends a transaction whose client was killed; MongoDB does after a minute."""
    is_stand_in = combination.startswith("mongo") and "EWMS_TEST_MONGO_URI" not in os.environ
    return tuple(part for part in PARTS if not (is_stand_in and part in _WRITERS))


def test_everything_is_killed_in_turn_and_nothing_is_lost(
    site: Site, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    parts = killable(request.node.callspec.params["site"])
    with site.session() as session:
        workflow = submit(session, tmp_path, events=1500)
        kills = [*map(kill_part, (*parts, "broker")), *([kill_starter] if site.has_pool else [])]
        for kill in kills:
            wait_accepted(site, workflow, accepted(workflow) + HIDDEN)
            kill(site)
        make_haste(tmp_path)
        check_product(site, workflow, tmp_path / "out", events=1500)


def test_what_is_cancelled_leaves_nothing(site: Site, tmp_path: Path) -> None:
    with site.session() as session:
        workflow = submit(session, tmp_path, events=1000)
        wait_accepted(site, workflow, 5)
        workflow.cancel()
        with pytest.raises(WorkflowCancelled):
            workflow.wait()
        check_nothing_left(site)
