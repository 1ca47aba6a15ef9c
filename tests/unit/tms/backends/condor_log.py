"""Event logs as HTCondor writes them with `log_xml`."""

from __future__ import annotations

from xml.sax.saxutils import escape

from ewms.tms.backends._htcondor_course import Kind

TIME = "2026-11-23T05:42:30.280"


def event(kind: Kind | int, proc: int | None = None, **values: str | int | bool) -> bytes:
    """The text of one event of cluster 7."""
    known: dict[str, str | int | bool] = {"Cluster": 7, "EventTime": TIME, "EventTypeNumber": int(kind), **values}
    if proc is not None:
        known["Proc"] = proc
    lines = "".join(f'    <a n="{name}">{_value(value)}</a>\n' for name, value in known.items())
    nested = '    <a n="ToE"><c>\n        <a n="HowCode"><i>0</i></a>\n    </c></a>\n'
    return f"<c>\n{nested}{lines}</c>\n".encode()


def _value(value: str | int | bool) -> str:
    if isinstance(value, bool):
        return f'<b v="{"t" if value else "f"}"/>'
    return f"<i>{value}</i>" if isinstance(value, int) else f"<s>{escape(value)}</s>"
