"""`skymap-scanner policy`: the rules by which alerts are scanned."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from skymap_scanner.skydriver.auto.facts import Facts
    from skymap_scanner.skydriver.auto.policy import Policy, Rule, ScanPlan


@click.group()
def policy() -> None:
    """Look after follow-up policies: the rules by which alerts are scanned."""


@policy.command(short_help="Check a policy, and see what it does with events.")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.argument("events", nargs=-1, metavar="[EVENT]...", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(file: Path, events: tuple[Path, ...], *, as_json: bool) -> None:
    """Check the policy in FILE, and show which rule each EVENT would take. FILE may be `default`.

    EVENT is an alert of i3live (.json or .pkl) or an event in the plugin's own JSON.
    """
    from skymap_scanner.skydriver.auto.policy_file import read_policy

    found = read_policy(None if file == Path("default") else file)
    alerts = [(event, _facts(event)) for event in events]
    if as_json:
        document = {
            "policy": found.where,
            "version": found.version,
            "rules": [rule.name for rule in found.policy.rules],
            "events": [_decision(event, facts, found.policy) for event, facts in alerts],
        }
        click.echo(json.dumps(document, indent=2))
        return
    click.echo(f"{found.where}: version {found.version}, rules {', '.join(rule.name for rule in found.policy.rules)}")
    for event, facts in alerts:
        click.echo("\n".join(("", *_lines(event, facts, found.policy))))


def _facts(event: Path) -> Facts:
    from skymap_scanner.errors import EventError
    from skymap_scanner.reading.limits import MAX_FILE_BYTES
    from skymap_scanner.skydriver.auto.facts import facts_of

    try:
        with event.open("rb") as stream:
            return facts_of(stream.read(MAX_FILE_BYTES + 1), str(event))[1]
    except OSError as error:
        message = (
            f"{event}: cannot be read ({error.strerror}); name an alert (.json or .pkl) or an event in the plugin's JSON"
        )
        raise EventError(message) from error


def _decision(event: Path, facts: Facts, rules: Policy) -> dict[str, Any]:
    rule = rules.rule_for(facts)
    return {
        "event": str(event),
        "facts": facts.model_dump(mode="json"),
        "rule": None if rule is None else rule.name,
        "scans": [] if rule is None else [plan.model_dump(mode="json") for plan in rule.scans],
        "publish": [] if rule is None else list(rule.publish),
    }


def _lines(event: Path, facts: Facts, rules: Policy) -> list[str]:
    rule = rules.rule_for(facts)
    energy = "energy unknown" if facts.energy is None else f"{facts.energy:.3g} GeV"
    kind = f"{facts.type or 'type unknown'}, {'real' if facts.real else 'simulated'}"
    light = f"{facts.charge:.0f} PE in {facts.modules} modules"
    lines = [
        f"{event}: run {facts.run}, event {facts.event}, {kind}, {light}, {energy}",
        *(f"  not {other.name}: {', '.join(other.misses(facts))}" for other in _before(rule, rules)),
    ]
    if rule is None:
        return [*lines, "  no rule takes it: it is kept, and not scanned"]
    scans = [f"    {_in_words(plan)}" for plan in rule.scans] or ["    no scan: it is kept"]
    return [*lines, f"  {rule.name}", *scans, *(f"    published to {target}" for target in rule.publish)]


def _before(rule: Rule | None, rules: Policy) -> list[Rule]:
    return list(rules.rules) if rule is None else list(rules.rules[: rules.rules.index(rule)])


def _in_words(plan: ScanPlan) -> str:
    where = ", ".join(f"{workers} on {name}" for name, workers in plan.clusters.items())
    workers = where or (
        "as many workers as the scheduler gives" if plan.workers is None else f"up to {plan.workers} workers"
    )
    return f"{plan.reco} {plan.nsides}, priority {plan.priority}, {workers}"
