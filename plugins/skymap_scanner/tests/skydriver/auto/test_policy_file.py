"""Policies as people write them, and what they are told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from skymap_scanner.cli.policy import policy as command
from skymap_scanner.skydriver.auto.facts import facts_of
from skymap_scanner.skydriver.auto.policy_file import PolicyError, parse_policy, read_policy

RULE = '[[rules]]\nname = "a"\n'
WHOLE = """
[defaults]
reco = "dummy"
priority = 120
classifiers = { campaign = "night" }

[targets.shift]
folder = "/data/maps"
files = ["*.json", "*.png"]

[targets.desk]
webhook = "https://example.org/hook"
stages = ["final"]

[[rules]]
name = "bright"
when = { type = ["gold", "bronze"], charge = { min = 10 }, "data.neutrino.bdt_up" = { not = { max = 0.1 } } }
scans = [{}, { reco = "mpe", nsides = { 1 = 0, 2 = 12 }, clusters = { north = 40 }, priority = 50 }]
publish = ["shift", "desk"]

[[rules]]
name = "rest"
"""


def test_keys_of_a_scan_stand_above_the_defaults() -> None:
    policy = parse_policy(WHOLE.encode(), "policy.toml").policy
    first, second = policy.rules[0].scans
    assert (first.reco, first.priority, first.classifiers) == ("dummy", 120, {"campaign": "night"})
    assert (second.reco, second.priority, second.nsides) == ("mpe", 50, "1:0,2:12")
    assert second.clusters == {"north": 40}
    assert [plan.reco for plan in policy.rules[1].scans] == ["dummy"], "a rule without scans has one of the defaults"
    assert policy.targets["desk"].stages == ("final",)


def test_the_version_is_the_text() -> None:
    one = parse_policy(RULE.encode(), "x")
    assert one.version == parse_policy(RULE.encode(), "y").version != parse_policy((RULE + "\n").encode(), "x").version


@pytest.mark.parametrize(("kind", "rule"), [("gold", "simulated"), ("", "simulated")])
def test_the_default_scans_everything(event_bytes: Callable[..., bytes], kind: str, rule: str) -> None:
    policy = read_policy(None).policy
    found = policy.rule_for(facts_of(event_bytes(event_type=kind), "event")[1])
    assert found is not None
    assert found.name == rule
    for kind in ("gold", "BRONZE", "HESE", "EHE", "", "neutrino"):
        found = policy.rule_for(facts_of(event_bytes(event_type=kind, is_real=True), "event")[1])
        assert found is not None
        assert all(plan.priority >= 100 for plan in found.scans)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "key 'rules' is missing"),
        ("x =", "not valid TOML"),
        ("rules = 3", "rules: write a list"),
        ("rules = []", "rules: "),
        (f"rule = 3\n{RULE}", "unknown key 'rule'; did you mean 'rules'?"),
        (f"{RULE}when = {{ chrage = 3 }}", "rule 'a', when.chrage: there is no such fact; did you mean 'charge'?"),
        (f"{RULE}when = {{ charge = {{ mim = 3 }} }}", "rule 'a', when.charge: unknown key 'mim'; did you mean 'min'?"),
        (f'{RULE}when = {{ charge = "3" }}', "rule 'a', when.charge: write a number"),
        (f"{RULE}when = {{ charge = nan }}", "rule 'a', when.charge: write a number"),
        (f"{RULE}when = {{ charge = {{ min = 3, max = 2 }} }}", "rule 'a', when.charge: min = 3 is above max = 2"),
        (f"{RULE}when = {{ charge = {{}} }}", "rule 'a', when.charge: write a number"),
        (f"{RULE}when = {{ charge = {{ not = {{ not = 3 }} }} }}", "rule 'a', when.charge: 'not' stands alone"),
        (f"{RULE}when = {{ type = 3 }}", "rule 'a', when.type: write \"TEXT\""),
        (f"{RULE}when = {{ type = [] }}", "rule 'a', when.type: write \"TEXT\""),
        (f"{RULE}when = {{ real = 1 }}", "rule 'a', when.real: write true or false"),
        (f"{RULE}when = {{ data = {{ x = 3 }} }}", "rule 'a', when.data: there is no such fact; did you mean 'data.PATH'?"),
        (f"{RULE}when = 3", "rule 'a', when: write a table"),
        (f"{RULE}scans = [{{}}, {{ rco = 'mpe' }}]", "rule 'a', unknown key 'scans.2.rco'; did you mean 'reco'?"),
        (
            f"{RULE}scans = [{{ reco = 'mpee' }}]",
            "rule 'a', scans.1.reco: reconstruction 'mpee' is unknown; did you mean 'mpe'?",
        ),
        (f"{RULE}scans = [{{ nsides = '7:0' }}]", "rule 'a', scans.1.nsides: 7 in '7:0' is not a power of two"),
        (
            f"{RULE}scans = [{{ policy = 'adaptiv' }}]",
            "rule 'a', scans.1.policy: 'adaptiv' is unknown; did you mean 'adaptive'?",
        ),
        (f"{RULE}scans = [{{ priority = -1 }}]", "rule 'a', scans.1.priority: "),
        (
            f"{RULE}scans = [{{ classifiers = {{ rescan = true }} }}]",
            "rule 'a', scans.1: classifier 'rescan' is SkyDriver's own",
        ),
        (
            f"{RULE}scans = [{{ classifiers = {{ x = [1] }} }}]",
            "rule 'a', scans.1: classifier 'x' is a text of up to 25 letters",
        ),
        (f"{RULE}scans = 3", "rule 'a', scans: write a list"),
        (f"{RULE}publish = ['shft']\n[targets.shift]\nfolder = '/x'", "there is no target 'shft'; did you mean 'shift'?"),
        (f"{RULE}{RULE}", "rule 'a' is there twice"),
        ("[[rules]]\nnme = 'a'", "rule 1, unknown key 'nme'; did you mean 'name'?"),
        ("[[rules]]\nname = 'a b'", "rule 'a b', name: "),
        (f"[targets.t]\nfoldr = '/x'\n{RULE}", "target 't', unknown key 'foldr'; did you mean 'folder'?"),
        (f"[targets.t]\nfolder = 'x'\n{RULE}", "target 't', folder: 'x' is relative"),
        (f"[targets.t]\nurl = 'x'\n{RULE}", "target 't', url: it is no URL"),
        (
            f"[targets.t]\nurl = 's3://a:word@b/c'\n{RULE}",
            "target 't', url: a URL with user and password is not written here",
        ),
        (f"[targets.t]\nwebhook = 'https://a:word@b/c'\n{RULE}", "target 't', a webhook's URL holds no user and password"),
        (f"[targets.t]\nfolder = '/x'\nurl = 's3://x'\n{RULE}", "target 't', a target is one of folder, url or webhook"),
        (f"[defaults]\nnside = '1:0'\n{RULE}", "defaults, unknown key 'nside'; did you mean 'nsides'?"),
        (f"defaults = 3\n{RULE}", "defaults, write a table"),
    ],
)
def test_a_mistake_is_one_line_with_its_place(text: str, said: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy(text.encode(), "policy.toml")
    assert str(caught.value).startswith("policy.toml: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "word" not in str(caught.value) or "password" in str(caught.value)
    assert ":word@" not in str(caught.value)


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_nothing_that_is_read_is_an_accident(text: bytes) -> None:
    with pytest.raises(PolicyError):
        parse_policy(text, "policy.toml")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="cannot be read: No such file"):
        read_policy(tmp_path / "none.toml")
    large = tmp_path / "large.toml"
    large.write_bytes(b"#" * (2 << 20))
    with pytest.raises(PolicyError, match="larger than 1 MB"):
        read_policy(large)


def test_the_example_of_the_docs_is_a_policy() -> None:
    page = (Path(__file__).parents[3] / "docs" / "automation.md").read_text()
    examples = [block.partition("```")[0] for block in page.split("```toml\n")[1:]]
    policy = parse_policy(next(text for text in examples if "[[rules]]" in text).encode(), "automation.md").policy
    assert [rule.name for rule in policy.rules] == ["bright-tracks", "unlikely", "rest"]


class TestCommand:
    """`skymap-scanner policy check`."""

    def test_it_shows_the_rule_and_why_no_other(self, tmp_path: Path, event_bytes: Callable[..., bytes]) -> None:
        file, event = tmp_path / "policy.toml", tmp_path / "event.json"
        file.write_text(WHOLE)
        event.write_bytes(event_bytes())
        done = CliRunner().invoke(command, ["check", str(file), str(event)], catch_exceptions=False)
        assert done.exit_code == 0
        lines = [line.strip() for line in done.output.splitlines()]
        assert "not bright: data.neutrino.bdt_up" in lines
        assert "rest" in lines
        assert any(line.startswith("dummy 8:0,64:12,512:24, priority 120") for line in lines)

    def test_as_json(self, tmp_path: Path, event_bytes: Callable[..., bytes]) -> None:
        event = tmp_path / "event.json"
        event.write_bytes(event_bytes())
        done = CliRunner().invoke(command, ["check", "default", str(event), "--json"], catch_exceptions=False)
        told = json.loads(done.output)
        assert told["events"][0]["rule"] == "simulated"
        assert told["events"][0]["scans"][0]["priority"] == 20

    def test_an_alert_that_nothing_takes(self, tmp_path: Path, event_bytes: Callable[..., bytes]) -> None:
        file, event = tmp_path / "policy.toml", tmp_path / "event.json"
        file.write_text(f"{RULE}when = {{ real = true }}")
        event.write_bytes(event_bytes())
        done = CliRunner().invoke(command, ["check", str(file), str(event)], catch_exceptions=False)
        assert "no rule takes it: it is kept, and not scanned" in done.output
