"""`ewms store`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ewms.cli.main import main
from ewms.stores.collections import WORKFLOWS
from ewms.stores.sqlite_store import SqliteStore
from ewms.stores.store import Insert


def ewms(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["store", *arguments])
    return int(ended.value.code or 0)


async def fill(path: Path) -> None:
    async with SqliteStore(path) as store:
        await store.write(Insert(collection=WORKFLOWS, key="WF-1", body={"n": 1}))
        store.journal("WF-1").close()


async def holds(path: Path) -> list[str]:
    async with SqliteStore(path) as store:
        return [item.key for item in (await store.find(WORKFLOWS)).items] + (await store.kept()).journals


@pytest.mark.parametrize("target", ["kept.jsonl", "kept.jsonl.gz", "kept"])
def test_what_was_backed_up_is_restored(target: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, other, kept = tmp_path / "data", tmp_path / "other", tmp_path / target
    asyncio.run(fill(data / "store.sqlite"))
    assert ewms("backup", str(kept), "--data", str(data)) == 0
    assert ewms("restore", str(kept), "--data", str(other)) == 0
    assert f"the store holds what {kept} held" in capsys.readouterr().out
    assert asyncio.run(holds(other / "store.sqlite")) == ["WF-1", "WF-1"]
    assert ewms("restore", str(kept), "--data", str(other)) == 2
    assert "already; " in capsys.readouterr().err


def test_mistakes_are_told_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = str(tmp_path / "data")
    (tmp_path / "cut.jsonl").write_text('{"line":"head","format":1}\n')
    (tmp_path / "ewms.toml").write_text('[service]\nstore = "mongodb://127.0.0.1:1/x"\n')
    mongo = str(tmp_path / "ewms.toml")
    asyncio.run(fill(tmp_path / "full" / "store.sqlite"))
    for arguments, message in (
        (("backup", str(tmp_path / "x"), "--data", data), "there is no store at"),
        (("backup", str(tmp_path / "x")), "name the service's configuration by --config"),
        (("backup", str(tmp_path / "x"), "--config", mongo), "only a SQLite store is copied into a folder"),
        (("restore", str(tmp_path / "full"), "--config", mongo), "a folder is restored to SQLite alone"),
        (("restore", str(tmp_path), "--data", data), "is not what `ewms store backup` made"),
        (("restore", str(tmp_path / "cut.jsonl"), "--data", data), "is cut off behind line 1"),
        (("restore", str(tmp_path / "none.jsonl"), "--data", data), "cannot be read: No such file"),
    ):
        assert ewms(*arguments) == 2
        assert message in capsys.readouterr().err
    assert not Path(data).exists(), "a mistake leaves nothing behind"
