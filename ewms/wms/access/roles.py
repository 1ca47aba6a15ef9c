"""Which role may call which route: the one table that decides it, and that the test of all routes walks through."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from ewms.core.errors import Forbidden


class Role(StrEnum):
    """What a caller is to the service."""

    USER = "user"
    """Has workflows, and reaches nobody else's."""
    OPERATOR = "operator"
    """Runs the service: everything."""
    TMS = "tms"
    """Has pilots started where they are wanted: sees everything of a workflow, changes taskforces alone."""
    PILOT = "pilot"
    """Talks to the broker, and has no business here."""


class Rule(NamedTuple):
    """Who may call a route."""

    roles: frozenset[Role] | None
    """Any of these; None lets everybody in, without a token."""
    is_owned: bool = False
    """The path names something that has an owner: for other users it is not there."""


_SEEING = frozenset({Role.USER, Role.OPERATOR, Role.TMS})
_OWNING = frozenset({Role.USER, Role.OPERATOR})
_LAUNCHING = frozenset({Role.TMS, Role.OPERATOR})

ANYBODY = Rule(None)
"""Nothing that is anybody's own."""
KNOWN = Rule(_SEEING)
"""What concerns the caller or everybody; listings are restricted to what the caller may see."""
REQUEST = Rule(_OWNING)
"""Makes something that will be the caller's own."""
SEE = Rule(_SEEING, is_owned=True)
"""Looks at something that has an owner."""
CHANGE = Rule(_OWNING, is_owned=True)
"""Changes it, or takes out what a TMS has no use for."""
LAUNCH = Rule(_LAUNCHING)
"""A TMS's work."""
OPERATE = Rule(frozenset({Role.OPERATOR}))
"""The service's own affairs."""

RULES: Mapping[str, Rule] = {
    "GET /healthz": ANYBODY,
    "GET /readyz": ANYBODY,
    "GET /metrics": KNOWN,
    "GET /mqbroker-issuer/.well-known/jwks.json": ANYBODY,
    "GET /v1/": KNOWN,
    "GET /v1/schema/openapi": KNOWN,
    "POST /v1/query/workflows": KNOWN,
    "POST /v1/query/task-directives": KNOWN,
    "POST /v1/query/taskforces": KNOWN,
    "POST /v1/workflows": REQUEST,
    "GET /v1/workflows/{workflow_id}": SEE,
    "POST /v1/workflows/{workflow_id}/actions/abort": CHANGE,
    "POST /v1/workflows/{workflow_id}/actions/finished": CHANGE,
    "GET /v1/task-directives/{task_id}": SEE,
    "POST /v1/task-directives/{task_id}/actions/add-workers": CHANGE,
    "GET /v1/taskforces/{taskforce_uuid}": SEE,
    "GET /v1/tms/pending-starter/taskforces": LAUNCH,
    "GET /v1/tms/pending-stopper/taskforces": LAUNCH,
    "POST /v1/tms/condor-submit/taskforces/{taskforce_uuid}": LAUNCH,
    "POST /v1/tms/condor-submit/taskforces/{taskforce_uuid}/failed": LAUNCH,
    "POST /v1/tms/condor-rm/taskforces/{taskforce_uuid}": LAUNCH,
    "POST /v1/tms/condor-rm/taskforces/{taskforce_uuid}/failed": LAUNCH,
    "POST /v1/tms/condor-complete/taskforces/{taskforce_uuid}": LAUNCH,
    "POST /v1/tms/statuses/taskforces": LAUNCH,
    "GET /v1/mqs": KNOWN,
    "GET /v1/mqs/schema/openapi": KNOWN,
    "GET /v1/mqs/mq-profiles/{mqid}": CHANGE,
    "GET /v1/mqs/workflows/{workflow_id}/mq-group": SEE,
    "POST /v1/mqs/workflows/{workflow_id}/mq-group/reservation": OPERATE,
    "POST /v1/mqs/workflows/{workflow_id}/mq-group/activation": OPERATE,
    "GET /v1/mqs/workflows/{workflow_id}/mq-profiles/public": CHANGE,
    "GET /api/about": ANYBODY,
    "POST /api/files/missing": REQUEST,
    "PUT /api/files/{sha256}": REQUEST,
    "GET /api/workflows": KNOWN,
    "POST /api/workflows": REQUEST,
    "GET /api/workflows/{workflow_id}": SEE,
    "POST /api/workflows/{workflow_id}/events": CHANGE,
    "GET /api/workflows/{workflow_id}/outcomes": CHANGE,
    "GET /api/workflows/{workflow_id}/failures": CHANGE,
    "GET /api/workflows/{workflow_id}/dead-letters": CHANGE,
    "POST /api/workflows/{workflow_id}/dead-letters/replay": CHANGE,
    "GET /api/workflows/{workflow_id}/logs": CHANGE,
    "GET /api/workflows/{workflow_id}/workers": SEE,
    "GET /api/workflows/{workflow_id}/files": SEE,
    "GET /api/workflows/{workflow_id}/files/{name:path}": SEE,
    "GET /api/files": REQUEST,
    "POST /api/files": REQUEST,
    "DELETE /api/files/{sha256}": REQUEST,
    "PATCH /api/workflows/{workflow_id}": CHANGE,
    "POST /api/workflows/{workflow_id}/actions/cancel": CHANGE,
    "POST /api/workflows/{workflow_id}/actions/pause": CHANGE,
    "POST /api/workflows/{workflow_id}/actions/resume": CHANGE,
    "POST /api/workflows/{workflow_id}/actions/finish": CHANGE,
    "POST /api/workflows/{workflow_id}/actions/add-workers": CHANGE,
    "GET /api/workflows/{workflow_id}/tasks": SEE,
    "GET /api/workflows/{workflow_id}/phases": SEE,
    "GET /api/workflows/{workflow_id}/queues": SEE,
    "GET /api/workflows/{workflow_id}/stream": CHANGE,
    "GET /api/workflows/{workflow_id}/events/{task}/{event_id:path}": CHANGE,
    "GET /api/stream": KNOWN,
    "GET /api/clusters": KNOWN,
    "GET /api/sites": KNOWN,
    "POST /api/sites/{cluster}/{site}/exclusion": OPERATE,
    "DELETE /api/sites/{cluster}/{site}/exclusion": OPERATE,
    "GET /api/tms/{cluster}/plan": LAUNCH,
    "POST /api/tms/{cluster}/report": LAUNCH,
    "GET /api/tms/taskforces/{taskforce_uuid}/pilot": LAUNCH,
    "GET /": ANYBODY,
    "GET /favicon.ico": ANYBODY,
    "GET /favicon.svg": ANYBODY,
    "GET /ui/": ANYBODY,
    "GET /ui/login": ANYBODY,
    "POST /ui/login": ANYBODY,
    "POST /ui/login/code": KNOWN,
    "POST /ui/logout": ANYBODY,
    "GET /ui/static/bokeh/{name:path}": ANYBODY,
    "GET /ui/static/{name:path}": ANYBODY,
    "GET /ui/workflows": KNOWN,
    "GET /ui/workflows/{workflow_id}": SEE,
    "GET /ui/workflows/{workflow_id}/pilots": SEE,
    "GET /ui/workflows/{workflow_id}/files": SEE,
    "GET /ui/workflows/{workflow_id}/failures": CHANGE,
    "GET /ui/workflows/{workflow_id}/letters": CHANGE,
    "GET /ui/workflows/{workflow_id}/events/{task}/{event_id:path}": CHANGE,
    "GET /ui/system": KNOWN,
    "GET /docs": KNOWN,
    "GET /api/tokens": OPERATE,
    "POST /api/tokens": OPERATE,
    "DELETE /api/tokens/{token_id}": OPERATE,
}
"""By method and path, as the router has it."""


def rule_of(method: str, path: str, rules: Mapping[str, Rule] = RULES) -> Rule:
    """The rule of a route; a route that nobody thought of is for operators alone.

    Parameters
    ----------
    path
        As the router has it, with its parameters in braces.
    rules
        Of this service, or of a plugin that is mounted in it.
    """
    return rules.get(f"{'GET' if method == 'HEAD' else method} {path}", OPERATE)


def require(name: str, role: Role, rule: Rule) -> None:
    """`Forbidden` unless a rule lets a role in."""
    if rule.roles is not None and role not in rule.roles:
        wanted = " or ".join(sorted(rule.roles))
        raise Forbidden(f"this is for the role {wanted}, and {name:.80} has the role {role}; ask an operator for it")
