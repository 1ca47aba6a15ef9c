"""What is derived of a scan: progress, workforce, names of reconstructions, the final result's file, filters."""

from __future__ import annotations

from typing import Any

import pytest

from ewms.core.spec import TaskSpec, WorkflowSpec
from ewms.services import InputError, Phase, TaskforceDocument, WorkflowDocument
from skymap_scanner.skydriver.documents import new_scan_id
from skymap_scanner.skydriver.filters import scan_query
from skymap_scanner.skydriver.manifest import shown
from skymap_scanner.skydriver.progress import progress_of
from skymap_scanner.skydriver.recos import Recos
from skymap_scanner.skydriver.view import result_name
from skymap_scanner.skydriver.workforce import workforce_of

NOTE = "nside 8: 768/768, nside 64: 100/704, best ra 138.60 dec +0.30 (pixel +-0.46) -logL 1103.8"


def workflow(**fields: Any) -> WorkflowDocument:
    spec = WorkflowSpec(name="scan", tasks=(TaskSpec(name="reconstruct", python="a:b", input="pixels"),))
    return WorkflowDocument.model_validate({"workflow_id": "WF-1", "timestamp": 1000.0, "spec": spec, **fields})


def test_progress_before_anything_happened() -> None:
    found = progress_of(workflow(), threshold=0.5, now=1010.0)
    assert found["summary"] == "the scan is pending"
    assert found["tallies"]["total_recos"] == 0
    assert found["processing_stats"]["predictions"] == {}
    assert (found["start"], found["end"], found["predictive_scanning_threshold"]) == (1000, None, 0.5)


def test_progress_of_a_running_scan() -> None:
    tasks = {"reconstruct": {"planned": 1472, "terminal": 868}, "classify": {"planned": 1, "terminal": 1}}
    running = workflow(state="running", tasks=tasks, note=NOTE, first_outcome_seconds=2.0)
    found = progress_of(running, threshold=1.0, now=1088.8)
    assert found["summary"] == NOTE
    assert found["tallies"]["by_nside"] == {"8": {"done": 768, "planned": 768}, "64": {"done": 100, "planned": 704}}
    assert (found["tallies"]["total_recos"], found["tallies"]["total_percent"]) == (868, 58.97)
    stats = found["processing_stats"]
    assert stats["rate"] == {"average reco (scanner time)": "0.100 s per pixel"}
    assert stats["predictions"] == {"time left": "0:01:00", "total runtime at finish": "0:02:29"}
    assert not stats["finished"]


def test_progress_of_a_scan_that_ended() -> None:
    tasks, counts = {"reconstruct": {"planned": 10, "terminal": 10}}, {"dead_lettered": 2, "retried": 3}
    done = workflow(state="complete", tasks=tasks, counts=counts, first_outcome_seconds=1.0)
    found = progress_of(done, threshold=1.0, now=5000.0, ended=1010.0)
    assert found["epilogue"] == "the scan is complete; 2 pixels could not be reconstructed"
    assert found["processing_stats"]["finished"]
    assert found["processing_stats"]["runtime"]["this scan"] == "0:00:10", "until it ended"
    failed = progress_of(workflow(state="failed", reason="it raised"), threshold=1.0, now=1001.0)
    assert failed["epilogue"] == "the scan is failed: it raised"


def test_workforce_is_put_together() -> None:
    def taskforce(statuses: dict[str, dict[str, int]], errors: dict[str, int]) -> TaskforceDocument:
        return TaskforceDocument.model_validate(
            {
                "taskforce_uuid": "TF-1",
                "task_id": "TK-1",
                "workflow_id": "WF-1",
                "timestamp": 1.0,
                "priority": 1,
                "cluster": "here",
                "n_workers": 3,
                "worker": {},
                "phase": Phase.CONDOR_SUBMIT,
                "compound_statuses": statuses,
                "top_task_errors": errors,
            }
        )

    one = taskforce({"RUNNING": {"Started": 3, "FatalError": 1}, "IDLE": {"null": 2}}, {"boom": 1})
    two = taskforce({"RUNNING": {"Started": 1, "Done": 5}}, {"boom": 2, "bang": 1})
    assert workforce_of([one, two]) == {
        "statuses": {"IDLE": {"null": 2}, "RUNNING": {"Started": 4, "FatalError": 1, "Done": 5}},
        "n_running": 4,
        "top_errors": {"boom": 3, "bang": 1},
    }
    assert workforce_of([]) == {"statuses": {}, "n_running": 0, "top_errors": {}}


def test_a_reconstruction_is_ours_or_mapped_or_refused() -> None:
    recos = Recos({"millipede_wilks": "cascade", "splinempe": ""})
    assert recos.used("mpe").used == "mpe"
    assert recos.used("millipede_wilks").model_dump() == {"requested": "millipede_wilks", "used": "cascade"}
    assert Recos({}).used("splinempe").used == "mpe"
    for name in ("splinempe", "millipede_original", "", "a\nb"):
        with pytest.raises(InputError, match=r"is not available here; available are .*mpe.* \[plugins.skydriver\] recos"):
            recos.used(name)
    for wrong in ("mpe", {"a": 1}, [1]):
        with pytest.raises(InputError, match="write a table of names"):
            Recos(wrong)


def test_the_final_result_is_the_one_with_arrays_beside_it() -> None:
    base = "product/run00138632.evt000031747601.gold_8_64"
    names = ["product/best_fit.json", f"{base}.notice.json", f"{base}.json", f"{base}.npz", "summary.json"]
    assert result_name(names) == f"{base}.json"
    assert result_name(names[:3]) is None
    assert result_name([]) is None


def test_deleted_scans_are_found_only_by_whoever_speaks_of_them() -> None:
    kept, gone = {"priority": 5, "is_deleted": False}, {"priority": 5, "is_deleted": True}
    assert scan_query({"priority": 5}).matches(kept)
    assert not scan_query({"priority": 5}).matches(gone)
    assert not scan_query({}).matches(gone)
    assert scan_query({}, include_deleted=True).matches(gone)
    assert scan_query({"$or": [{"is_deleted": True}, {"priority": 6}]}).matches(gone)


def test_parts_of_a_manifest() -> None:
    manifest = {"a": 1, "b": {"c": 2, "d": 3}, "e": 4}
    assert shown(manifest, "*", {"e"}) == {"a": 1, "b": {"c": 2, "d": 3}}
    assert shown(manifest, ["b.c", "a", "none", "", "."]) == {"b": {"c": 2}, "a": 1}
    with pytest.raises(InputError, match=r"'e\.x' is not shown here"):
        shown(manifest, ["e.x"], {"e"})


def test_ids_of_scans_sort_by_time() -> None:
    ids = [new_scan_id(now) for now in (1_600_000_000.001, 1_700_000_000.5, 1_700_000_000.501)]
    assert ids == sorted(ids)
    assert {len(scan_id) for scan_id in ids} == {32}
    assert all(scan_id.partition("x")[2] for scan_id in ids)
    assert new_scan_id(1.0) != new_scan_id(1.0)
