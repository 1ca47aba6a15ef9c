from __future__ import annotations

from pathlib import Path

import pytest

from bench.sections import RESULTS, own_part, sections_of, table, with_section, write_section

OWN = "# Measured\n\n## Ratios\nfast\n"


def test_each_section_replaces_its_own_and_leaves_the_rest() -> None:
    page = with_section(OWN, "Churn", "flat\n")
    page = with_section(page, "A pool", "quick\n")
    page = with_section(page, "Churn", "still flat\n")
    assert own_part(page).strip() == OWN.strip()
    assert page.count("# The service\n") == 1
    assert page.count("## Churn\n") == page.count("## A pool\n") == 1
    assert "still flat" in page
    assert "quick" in page
    assert "\nflat" not in page


def test_the_rest_can_be_written_anew_without_them() -> None:
    page = with_section(OWN, "Churn", "flat\n")
    assert own_part("# Measured\n\nnew\n" + sections_of(page)) == "# Measured\n\nnew\n"
    assert sections_of("# Measured\n\nnew\n" + sections_of(page)) == sections_of(page)
    assert sections_of(OWN) == ""


def test_a_section_tells_its_command_and_its_machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "RESULTS.md"
    write_section("Churn", table(("part", "MiB"), [("serve", "80")]), path)
    written = path.read_text()
    assert "command: `python " in written
    assert "load before: " in written
    assert "| serve | 80 |" in written
    assert str(path) in capsys.readouterr().out


def test_the_page_in_the_repository_can_be_taken_apart() -> None:
    page = RESULTS.read_text()
    assert own_part(page) + sections_of(page) == page
