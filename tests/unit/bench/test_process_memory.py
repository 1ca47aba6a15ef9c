from __future__ import annotations

import os

from bench.process_memory import parse_peak, peak_mebibytes


def test_the_peak_is_read_in_mebibytes() -> None:
    assert parse_peak("Name:\tpython\nVmPeak:\t  9999 kB\nVmHWM:\t    2048 kB\nVmRSS:\t 1024 kB\n") == 2.0


def test_a_process_that_has_ended_has_no_peak() -> None:
    assert parse_peak("Name:\tpython\nState:\tZ (zombie)\n") == 0.0
    assert peak_mebibytes(2**22 + 1) == 0.0


def test_this_process_has_one() -> None:
    assert peak_mebibytes(os.getpid()) > 1.0
