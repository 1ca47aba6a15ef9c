"""Ten minutes of everything at once: Python, commands and containers, good and bad events, and pilots that keep dying."""

from __future__ import annotations

import contextlib
import json
import os
import random
import sys
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from tests.support import containers
from tests.support.running import Running, wait_for

EVENTS = {"short": 5000, "long": 1000, "command": 4000, "warm": 1600, "cold": 400}
SECONDS = 600.0
WORK = '''
"""Tasks of the mix. Of a hundred events one raises, one hangs, and one takes too much memory."""
import sys
import time


def work(number, seconds=0.0):
    match number % 100:
        case 13:
            raise ValueError("unlucky")
        case 31:
            time.sleep(3600)
        case 57:
            block = bytearray(600 << 20)
            time.sleep(3600)
    time.sleep(seconds)
    return number + 1


def short(number):
    return work(number)


def long(number):
    return work(number, 0.4)


if __name__ == "__main__":
    with open(sys.argv[1]) as stream:
        answer = work(int(stream.read()))
    with open(sys.argv[2], "w") as stream:
        stream.write(str(answer))
'''
MIX = '''
import ewms

COUNTS = {counts}


class Mix(ewms.Application):
    """Sends all kinds in turn."""

    def __init__(self, inputs=()):
        pass

    def start(self):
        for number in range(max(COUNTS.values())):
            for kind, count in COUNTS.items():
                if number < count:
                    yield ewms.Event(id=f"{{kind}}/{{number}}", body=number, queue=f"{{kind}}-in")
'''
CONTAINED = """
import sys, time
number = int(open(sys.argv[1]).read())
if number % 100 == 13: sys.exit("unlucky")
if number % 100 == 31: time.sleep(3600)
if number % 100 == 57: block = bytearray(600 << 20); time.sleep(3600)
open(sys.argv[2], "w").write(str(number + 1))
"""
LIMITS = """timeout = 4
retry = {max_failures = 1, max_vanishes = 8}
resources = {memory = "300 MiB"}
infile_suffix = ".json"
outfile_suffix = ".json"
"""


def _spec(image: str) -> str:
    program = json.dumps(["/usr/bin/python3", "-c", CONTAINED, "{{INFILE}}", "{{OUTFILE}}"])
    consumers = {
        "short": 'python = "work:short"',
        "long": 'python = "work:long"',
        "command": f"command = {json.dumps([sys.executable, 'work.py', '{{INFILE}}', '{{OUTFILE}}'])}",
        "warm": f'container = {{image = {json.dumps(image)}, tool = "apptainer", warm = "files", arguments = {program}}}',
        "cold": f'container = {{image = {json.dumps(image)}, tool = "apptainer", arguments = {program}}}',
    }
    tasks = [
        f'[[tasks]]\nname = "{kind}"\ninput = "{kind}-in"\noutput = "{kind}-out"\n{consumer}\n{LIMITS}'
        for kind, consumer in consumers.items()
    ]
    queues = f"inputs = {json.dumps([f'{kind}-in' for kind in EVENTS])}"
    return f'name = "mix"\napplication = "mix:Mix"\n{queues}\n' + "\n".join(tasks)


def _mounts() -> Counter[str]:
    return Counter(line.split()[1] for line in Path("/proc/mounts").read_text().splitlines())


def _marked(workflow_id: str) -> list[int]:
    """Processes that some pilot of the workflow started, by their environment."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("EWMS_LAUNCH", "").startswith(workflow_id):
                found.append(process.pid)
    return found


@pytest.mark.soak
@pytest.mark.timeout(3000)
def test_every_event_ends_once_and_nothing_is_left(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    if (missing := containers.why_no_apptainer()) is not None:
        assert os.environ.get("CI") != "true", missing
        pytest.skip(missing)
    for name, value in containers.environment(running.folder).items():
        monkeypatch.setenv(name, value)
    image, _ = containers.folder_images()
    mounts = _mounts()
    temporary = running.folder / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    running.write(WORK, _spec(image), [])
    running.folder.joinpath("mix.py").write_text(MIX.format(counts=EVENTS))
    running.start()
    assert running.process is not None
    chance, kills, began = random.Random(20261123), 0, time.monotonic()
    wait_for(running.pilots, "pilots")
    while running.process.poll() is None and time.monotonic() - began < SECONDS:
        with contextlib.suppress(psutil.NoSuchProcess, IndexError):
            chance.choice(running.pilots()).kill()
            kills += 1
        time.sleep(chance.uniform(2.0, 8.0))
    running.finish(expected=3, deadline=1800.0)

    events = running.summary()["events"]
    letters = [json.loads(line) for line in (running.out / "dead_letters.jsonl").read_text().splitlines()]
    outcomes = [json.loads(line) for line in running.product().splitlines()]
    everything = {f"{kind}/{number}" for kind, count in EVENTS.items() for number in range(count)}
    bad = {name for name in everything if int(name.partition("/")[2]) % 100 in {13, 31, 57}}
    dead = [letter["id"] for letter in letters]
    accepted = [outcome["id"].removesuffix("/0") for outcome in outcomes]
    print(f"{kills} kills in {time.monotonic() - began:.0f} s: {events}")  # noqa: T201  the soak's figures
    assert kills > 30
    assert Counter(dead).most_common(1)[0][1] == 1
    assert events["accepted"] + events["dead_lettered"] == len(everything)
    assert bad <= set(dead)
    unlucky = [letter["reason"] for letter in letters if letter["id"] not in bad]
    assert all("vanished" in reason for reason in unlucky), Counter(unlucky).most_common(3)
    assert len(accepted) == len(set(accepted)) == events["accepted"]
    assert events["vanished"] > 0
    workflow_id = running.summary()["workflow_id"]
    wait_for(lambda: not running.leftovers() and not _marked(workflow_id), "the end of all processes")
    assert _mounts() == mounts
    assert list(temporary.iterdir()) == []
    assert not (running.out / ".ewms" / "scratch").exists()
