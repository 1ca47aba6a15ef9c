"""`planewave_awk`: the same as a program, here in awk. A container is a program too, see the README."""

from __future__ import annotations

from pathlib import Path

from skymap_scanner.recos.program import ProgramReco


class PlaneWaveProgram(ProgramReco):
    """One process per pixel: for reconstructions that take seconds or minutes that is nothing."""

    name = "planewave_awk"
    task = {
        "command": (
            "awk",
            "-v",
            "out={{OUTFILE}}",
            "-f",
            str(Path(__file__).with_name("wave.awk")),
            "{{INFILE}}",
            "{{DATA_HUB}}/hits.csv",
        ),
        "timeout": 60,
    }
