"""`python -m bench.containers TOOL IMAGE`: a container per event and one that stays up, against a shell loop.

Every arm doubles a text after 50 ms of sleep, two at a time, in an image that has Python: `xargs -P 2` around the tool, and
`ewms run` with two pilots and `warm` no, files and lines. Arms take turns. To leave out what a start takes, each runs a few
events and many; the difference counts.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench.sections import table, write_section

FEW = 4
SLOTS = 2
_DOUBLE = "import sys,time; time.sleep(0.05); open(sys.argv[2],'w').write(2*open(sys.argv[1]).read())"
_SERVE = """
import json, sys, time
for line in sys.stdin:
    time.sleep(0.05)
    print(json.dumps({"output": 2 * json.loads(line)["body"]}), flush=True)
"""


def loop(tool: str, image: str, events: int) -> float:
    """Seconds of a shell loop."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(events):
            (folder / f"{number}.in").write_text(f"text {number}")
        inside = ["python3", "-c", _DOUBLE, "/files/{}.in", "/files/{}.out"]
        if tool == "apptainer":
            argv = ["apptainer", "exec", "--containall", "--no-eval", "--bind", f"{folder}:/files"]
            argv += ["--net", "--network", "none", image, *inside]
        else:
            image = image if ":" in image else f"--rootfs {image}"
            argv = [tool, "run", "--rm", "--network", "none", "--volume", f"{folder}:/files", image, *inside]
        numbers = "".join(f"{number}\n" for number in range(events))
        began = time.monotonic()
        subprocess.run(["xargs", "-P", str(SLOTS), "-I{}", *argv], input=numbers, text=True, check=True)
        seconds = time.monotonic() - began
        assert all((folder / f"{number}.out").read_text() == 2 * f"text {number}" for number in range(events))
    return seconds


def run(tool: str, image: str, events: int, *, warm: str) -> float:
    """Seconds of `ewms run`."""
    is_lines = warm == "lines"
    arguments = ["python3", "-c", _SERVE] if is_lines else ["python3", "-c", _DOUBLE, "{{INFILE}}", "{{OUTFILE}}"]
    spec = f"""
name = "double"
[[tasks]]
name = "double"
input = "texts"
output = "doubled"
infile_suffix = ".txt"
outfile_suffix = ".txt"
[tasks.container]
image = {json.dumps(image)}
tool = {json.dumps(tool)}
warm = {json.dumps(warm)}
arguments = {json.dumps(arguments)}
"""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "texts.jsonl").write_text("".join(f'"text {number}"\n' for number in range(events)))
        (folder / "workflow.toml").write_text(spec)
        argv = [str(Path(sys.executable).with_name("ewms")), "run", ".", "--input", "texts.jsonl"]
        began = time.monotonic()
        subprocess.run([*argv, "--out", "out", "--workers", str(SLOTS)], cwd=folder, check=True, capture_output=True)
        seconds = time.monotonic() - began
        lines = (folder / "out" / "product" / "outcomes.jsonl").read_text().splitlines()
        assert sorted(json.loads(line)["output"] for line in lines) == sorted(2 * f"text {n}" for n in range(events))
    return seconds


def arms(tool: str, image: str) -> dict[str, Callable[[int], float]]:
    """What is compared, by name."""
    warm = {f'`warm = "{kind}"`': partial(run, tool, image, warm=kind) for kind in ("no", "files", "lines")}
    return {f"`xargs -P {SLOTS}` around {tool}": partial(loop, tool, image), **warm}


def main() -> None:
    """Print a line per round and arm, then the table; with `--keep`, write the section too."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tool", choices=["podman", "docker", "apptainer"])
    parser.add_argument("image", help="one that the tool can run, with Python in it")
    parser.add_argument("--events", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", action="store_true", help="write the section of bench/RESULTS.md")
    options = parser.parse_args()
    taken: dict[str, list[float]] = {name: [] for name in arms(options.tool, options.image)}
    for number in range(options.rounds):
        for name, seconds in arms(options.tool, options.image).items():
            each = (seconds(options.events) - seconds(FEW)) / (options.events - FEW)
            taken[name].append(each)
            print(f"round {number + 1}: {name}: {1000 * each:.0f} ms an event, load {os.getloadavg()[0]:.1f}", flush=True)
    first, once, *_ = taken
    rows = []
    for name, figures in taken.items():
        against_loop, against_once = (
            statistics.median(own / other for own, other in zip(figures, taken[base], strict=True)) for base in (first, once)
        )
        rows.append((name, f"**{1000 * statistics.median(figures):.0f}**", f"{against_loop:.2f}", f"{1 / against_once:.1f}"))
    body = f"Median of {options.rounds} rounds of {options.events} events, {SLOTS} at a time.\n\n"
    body += table(("arm", "ms an event", "of the loop's time", "times as fast as one per event"), rows)
    print(body)
    if options.keep:
        write_section(f"Containers by {options.tool}", body)


if __name__ == "__main__":
    main()
