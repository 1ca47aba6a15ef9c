"""NASA's schema accepts the notice."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

Reader = Callable[[str], ModuleType]
SCHEMAS = Path(__file__).parent / "data" / "gcn"


@pytest.fixture
def errors_of(reader: Reader) -> Callable[[Any], list[str]]:
    """What NASA's schema has against a document."""
    jsonschema, referencing = reader("jsonschema"), reader("referencing")
    schemas = [json.loads(path.read_text()) for path in SCHEMAS.glob("*/*.schema.json")]
    registry = referencing.Registry().with_resources(
        [(schema["$id"], referencing.Resource.from_contents(schema)) for schema in schemas]
    )
    [top] = [schema for schema in schemas if schema["$id"].endswith("single_neutrino_alerts.schema.json")]
    validator = jsonschema.Draft202012Validator(top, registry=registry)
    return lambda document: [error.message for error in validator.iter_errors(document)]


def test_notice_is_valid(errors_of: Callable[[Any], list[str]], folder: Path) -> None:
    notice = json.loads((folder / "gold_8_64_256.notice.json").read_text())
    assert errors_of(notice) == []
    known = set().union(*(json.loads(path.read_text())["properties"] for path in SCHEMAS.glob("*/*.schema.json")))
    assert set(notice) - {"$schema"} <= known


def test_schema_is_the_one_that_the_notice_names(folder: Path) -> None:
    notice = json.loads((folder / "gold_8_64_256.notice.json").read_text())
    schema = json.loads((SCHEMAS / "icecube" / "single_neutrino_alerts.schema.json").read_text())
    assert notice["$schema"] == schema["$id"]


def test_schema_would_refuse_nonsense(errors_of: Callable[[Any], list[str]]) -> None:
    [path] = SCHEMAS.glob("icecube/*.example.json")
    example = json.loads(path.read_text())
    assert errors_of(example) == []
    assert errors_of({**example, "ra": "east"})
    assert errors_of({**example, "pipeline": "Silver Track Alert"})
    assert errors_of({**example, "alert_topology": "Cascade"})
