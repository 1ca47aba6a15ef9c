"""What services and journals tell, as tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from ewms.top.source import Column, Table
from ewms.top.words import clean, count, duration, lines_of, mapping, moment, rate, share, shortened, to_go
from ewms.wms.failures import FailureCluster

_LETTER_BODY = 2000


def columns(*titles: str, last: int = 0) -> list[Column]:
    """Columns that all stay, but for so many at the right, which go in turn where there is no room."""
    first = len(titles) - last
    return [Column(title=title, rank=max(0, number - first + 1)) for number, title in enumerate(titles)]


def tasks(items: Iterable[Mapping[str, Any]], rates: Mapping[str, float]) -> Table:
    """The tasks of a workflow: keys `name`, `planned`, `terminal` and, where known, `seconds`, `input`, `output`."""
    rows = {
        str(item["name"]): (
            clean(item["name"]),
            share(item["terminal"], item["planned"]),
            rate(rates.get(item["name"])),
            to_go(item["planned"], item["terminal"], rates.get(item["name"])),
            "" if item.get("seconds") is None else f"{item['seconds']:.3g} s",
            clean(item.get("input", "")),
            clean(", ".join(item.get("output", ()))),
        )
        for item in items
    }
    return Table(columns=columns("task", "done", "rate", "to go", "median", "reads", "fills", last=3), rows=rows)


def queues(items: Iterable[Mapping[str, Any]]) -> Table:
    """Queues as the service lists them."""
    rows = {
        f"{item['kind']} {item['name']}": (
            clean(item["name"]),
            str(item["kind"]),
            *(count(item[key]) for key in ("ready", "leased", "redelivered", "consumers")),
            rate(item["rate"]),
        )
        for item in items
    }
    heads = columns("queue", "kind", "ready", "leased", "redelivered", "consumers", "rate", last=3)
    return Table(columns=heads, rows=rows, note="" if rows else "the broker holds nothing of it")


def pilots(items: Sequence[Mapping[str, Any]]) -> Table:
    """Taskforces with the states of their pilots."""
    rows, details = {}, {}
    for item in items:
        key = str(item["taskforce_uuid"])
        statuses = {f"{job} {pilot}": n for job, found in item["compound_statuses"].items() for pilot, n in found.items()}
        rows[key] = (
            clean(item["cluster"]),
            str(item["phase"]),
            count(item["workers"]),
            count(item["submitted_workers"]),
            mapping(statuses),
            clean(item["reason"]),
            "" if item["cluster_id"] is None else str(item["cluster_id"]),
            key,
        )
        errors = item["top_task_errors"]
        details[key] = "\n".join(part for part in (clean(item["reason"]), *_errors(errors)) if part)
    heads = columns("cluster", "phase", "wanted", "submitted", "pilots", "why", "job", "taskforce", last=4)
    return Table(columns=heads, rows=rows, details=details, note="" if rows else "no taskforce yet")


def _errors(errors: Mapping[str, int]) -> Iterator[str]:
    for text, number in errors.items():
        yield f"{number:,} pilots: {clean(text)}"


def failures(clusters: Sequence[FailureCluster]) -> Table:
    """Failures by cause."""
    rows, details = {}, {}
    for cluster in clusters:
        key = f"{cluster.task} {cluster.kind} {cluster.cause}"
        rows[key] = (
            clean(cluster.task),
            count(cluster.attempts),
            count(cluster.events),
            count(cluster.dead),
            clean(cluster.example.reason),
        )
        details[key] = _why(cluster)
    note = f"{len(rows):,} causes" if rows else "no event failed"
    return Table(
        columns=columns("task", "attempts", "events", "dead", "latest reason"), rows=rows, details=details, note=note
    )


def _why(cluster: FailureCluster) -> str:
    more = f" and {cluster.events - len(cluster.ids):,} more" if cluster.events > len(cluster.ids) else ""
    parts = [
        f"{cluster.kind}: {clean(cluster.example.reason)}",
        f"hosts: {mapping({host or 'unknown': number for host, number in cluster.hosts.items()})}",
        f"events: {clean(', '.join(cluster.ids))}{more}",
    ]
    for name in ("traceback", "stderr"):
        if text := cluster.example.detail.get(name):
            parts.append(f"{name}:\n{lines_of(text)}")
    return "\n".join(parts)


def letters(items: Sequence[Mapping[str, Any]], total: int) -> Table:
    """Dead letters as the service lists them; keys of rows are those of `letter_of`."""
    rows = {
        f"{item['task']}/{item['id']}": (
            clean(item["id"]),
            clean(item["task"]),
            count(len(item["history"])),
            clean(item["reason"]),
        )
        for item in items
    }
    details = {f"{item['task']}/{item['id']}": _letter(item) for item in items}
    note = "no dead letters"
    if total:
        note = f"{len(rows):,} of {total:,} dead letters" + ("" if len(rows) == total else ", the first in event order")
    return Table(columns=columns("event", "task", "attempts", "reason"), rows=rows, details=details, note=note)


def letter_of(key: str) -> tuple[str, str]:
    """Task and event id of a row."""
    task, _, event_id = key.partition("/")
    return task, event_id


def _letter(item: Mapping[str, Any]) -> str:
    parts = [f"given up: {clean(item['reason'])}", f"body: {shortened(clean(item['body'], _LETTER_BODY), _LETTER_BODY)}"]
    for attempt in item["history"]:
        where = attempt.get("host") or "an unknown host"
        parts.append(f"attempt {attempt['attempt']} {attempt['kind']} on {clean(where)}: {clean(attempt['reason'])}")
    if item["history"]:
        detail = item["history"][-1].get("detail") or {}
        parts += [f"{name}:\n{lines_of(detail[name])}" for name in ("traceback", "stderr") if detail.get(name)]
    return "\n".join(parts)


def phases(entries: Sequence[Mapping[str, Any]]) -> Table:
    """States of a workflow, oldest first."""
    rows, before = {}, None
    for number, entry in enumerate(entries):
        lasted = "" if before is None else duration(entry["timestamp"] - before)
        rows[str(number)] = (moment(entry["timestamp"]), str(entry["state"]), lasted, clean(entry["reason"]))
        before = entry["timestamp"]
    return Table(columns=columns("since", "state", "after", "reason"), rows=rows)


def health(found: Mapping[str, Any]) -> Table:
    """What `/readyz` says."""
    parts = {name: found[name] for name in ("store", "broker", "drivers")}
    parts |= {f"loop {name}": trouble for name, trouble in found["loops"].items()}
    parts |= {f"cluster {name}": trouble for name, trouble in found["clusters"].items()}
    rows = {name: (clean(name), "TROUBLE" if trouble else "ok", clean(trouble)) for name, trouble in parts.items()}
    ready = "the service is ready" if found["ready"] else "the service is NOT ready"
    return Table(columns=columns("part", "state", "what is wrong"), rows=rows, note=ready)


def clusters(items: Iterable[Mapping[str, Any]]) -> Table:
    """Clusters with their TMS's last word."""
    rows = {}
    for item in items:
        report = item["report"]
        state = "never reported" if report is None else "ready" if report["ready"] else "NOT ready"
        rows[str(item["name"])] = (
            clean(item["name"]),
            state,
            "" if report is None else f"{report['workers']:,} of {item['max_workers']:,}",
            "" if report is None else count(report["batches"]),
            "" if item["age"] is None else f"{duration(item['age'])} ago",
            clean(item["backend"]),
            "" if report is None else clean(report["reason"]),
        )
    heads = columns("cluster", "state", "workers", "taskforces", "heard", "backend", "reason", last=3)
    return Table(columns=heads, rows=rows, note="" if rows else "no cluster is configured")


def sites(items: Iterable[Mapping[str, Any]]) -> Table:
    """Execution sites with their scores."""
    rows = {
        f"{item['cluster']}/{item['site']}": (
            clean(item["cluster"]),
            clean(item["site"]),
            f"{item['losses']:.1f}",
            f"{item['successes']:.1f}",
            f"for {duration(item['excluded_for'])}" if item["excluded_for"] else "no",
            clean(item["reason"]),
        )
        for item in items
    }
    heads = columns("cluster", "site", "losses", "successes", "excluded", "reason", last=1)
    return Table(columns=heads, rows=rows, note="" if rows else "no site has been seen yet")


def clusters_of(items: Any) -> list[FailureCluster]:
    """Failure clusters from JSON; `msgspec.ValidationError` where they are none."""
    return msgspec.convert(items, list[FailureCluster])
