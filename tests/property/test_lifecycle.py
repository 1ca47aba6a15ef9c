"""The life of one event under every order of what brokers and pilots can do to it."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ewms.core.lifecycle import (
    TERMINAL,
    Life,
    Phase,
    Verdict,
    on_copied,
    on_lost,
    on_replay,
    on_result,
    on_sent,
    on_unsuccessful,
)
from ewms.core.retry import RetryPolicy
from ewms.core.wire import Kind

hosts = st.sampled_from(["north", "south"])
pilots = st.sampled_from([f"pilot-{number}" for number in range(6)])
endings = st.sampled_from(Kind)


class OneLife(RuleBasedStateMachine):
    """Deliver, fail, return, vanish, duplicate, late report, copy, copy ends, bury, replay, lost."""

    @initialize(max_failures=st.integers(1, 3), max_vanishes=st.integers(1, 3))
    def begin(self, max_failures: int, max_vanishes: int) -> None:
        self.policy = RetryPolicy(max_failures=max_failures, max_vanishes=max_vanishes)
        self.life = Life()
        self.before = (Phase.PLANNED, 1)
        self.out: list[int] = []  # attempts that pilots work on, zombies included
        self.ended: set[int] = set()
        self.failures = 0
        self.blamed: set[str] = set()
        self.copies_made: list[int] = []
        self.replayed = False

    @precondition(lambda self: self.life.phase is Phase.PLANNED)
    @rule()
    def deliver(self) -> None:
        on_sent(self.life)
        self.out.append(self.life.attempt)
        assert self.life.phase is Phase.SENT

    @precondition(lambda self: self.life.phase is not Phase.PLANNED)
    @rule()
    def deliver_again(self) -> None:
        before = self.life.phase
        on_sent(self.life)
        assert self.life.phase is before

    @precondition(lambda self: self.out)
    @rule()
    def succeed(self) -> None:
        """Whatever attempt it is of, a result wins, unless there is one."""
        before, had_late = self.life.phase, self.life.late_result
        verdict = on_result(self.life)
        if before is Phase.ACCEPTED or had_late:
            assert verdict is Verdict.DUPLICATE
            assert self.life.phase is before
        elif before is Phase.BURIED:
            assert verdict is Verdict.KEEP
            assert self.life.phase is Phase.BURIED
        else:
            assert verdict is Verdict.ACCEPT
            assert self.life.phase is Phase.ACCEPTED

    @precondition(lambda self: self.out)
    @rule(data=st.data(), kind=endings, alone=st.booleans(), pilot=pilots, host=hosts, two_hosts=st.booleans())
    def end(self, data: st.DataObject, kind: Kind, alone: bool, pilot: str, host: str, two_hosts: bool) -> None:
        """An attempt that is or was out ends without a result; perhaps it is told twice, or late."""
        attempt = data.draw(st.sampled_from(self.out))
        current = self.life.phase is Phase.SENT and attempt == self.life.attempt
        copy_out = self.life.copy_out
        verdict = self.unsuccessful(kind, attempt, alone=alone, copy=False, pilot=pilot, host=host, hosts=1 + two_hosts)
        if not current:
            assert verdict is Verdict.STALE
            return
        assert attempt not in self.ended, "an attempt ended twice"
        self.ended.add(attempt)
        self.failures += kind is Kind.FAILED
        if kind is Kind.VANISHED and alone:
            self.blamed.add(pilot)
        spent = self.failures >= self.policy.max_failures or len(self.blamed) >= self.policy.max_vanishes
        if verdict is not Verdict.RETRY:
            assert spent
            assert verdict is (Verdict.HOLD if copy_out else Verdict.BURY)
        elif kind is Kind.FAILED:
            assert self.failures < self.policy.max_failures

    @precondition(lambda self: self.life.phase is Phase.SENT)
    @rule()
    def copy(self) -> None:
        first = not self.life.copy_out and self.life.attempt not in self.copies_made
        assert on_copied(self.life) is first
        if first:
            self.copies_made.append(self.life.attempt)

    @precondition(lambda self: self.copies_made)
    @rule(kind=endings, pilot=pilots, host=hosts)
    def end_copy(self, kind: Kind, pilot: str, host: str) -> None:
        """A copy comes to nothing: that is never counted, and buries only what waited for it."""
        before = (self.life.failures, dict(self.life.vanished), self.life.attempt)
        phase, copy_out = self.life.phase, self.life.copy_out
        verdict = self.unsuccessful(kind, self.copies_made[-1], alone=True, copy=True, pilot=pilot, host=host, hosts=2)
        assert (self.life.failures, self.life.vanished, self.life.attempt) == before
        if phase in TERMINAL or not copy_out:
            assert verdict is Verdict.STALE
            assert self.life.phase is phase
        else:
            assert verdict is (Verdict.BURY if phase is Phase.HELD else Verdict.COPY_ENDED)
            assert not self.life.copy_out

    @rule()
    def lose(self) -> None:
        """The broker loses everything."""
        phase, attempt = self.life.phase, self.life.attempt
        assert on_lost(self.life) is (phase in {Phase.SENT, Phase.HELD})
        assert self.life.phase is (phase if phase in TERMINAL else Phase.PLANNED)
        assert self.life.attempt == attempt + (phase is Phase.HELD)
        self.copies_made.clear()

    @rule()
    def replay(self) -> None:
        phase, late = self.life.phase, self.life.late_result
        verdict = on_replay(self.life)
        if phase is not Phase.BURIED:
            assert verdict is Verdict.STALE
            assert self.life.phase is phase
            return
        assert verdict is (Verdict.ACCEPT if late else Verdict.RETRY)
        assert self.life.phase is (Phase.ACCEPTED if late else Phase.PLANNED)
        self.replayed = True
        if verdict is Verdict.RETRY:
            self.failures, self.blamed = 0, set()

    @invariant()
    def terminal_is_left_by_replay_alone(self) -> None:
        phase, attempt = self.before
        if phase is Phase.ACCEPTED:
            assert self.life.phase is Phase.ACCEPTED
        if phase is Phase.BURIED and not self.replayed:
            assert self.life.phase is Phase.BURIED
        assert self.life.attempt >= attempt
        self.before, self.replayed = (self.life.phase, self.life.attempt), False

    @invariant()
    def counts_are_right(self) -> None:
        assert self.life.failures == self.failures
        assert set(self.life.vanished) == self.blamed

    @invariant()
    def never_buried_while_a_copy_is_out(self) -> None:
        assert not (self.life.phase is Phase.BURIED and self.life.copy_out)
        assert self.life.phase is not Phase.HELD or self.life.copy_out

    def unsuccessful(
        self, kind: Kind, attempt: int, *, alone: bool, copy: bool, pilot: str, host: str, hosts: int
    ) -> Verdict:
        return on_unsuccessful(
            self.life, kind, attempt, self.policy, alone=alone, copy=copy, holder=pilot, host=host, hosts=hosts
        )


TestOneLife = OneLife.TestCase
TestOneLife.settings = settings(max_examples=5 * settings().max_examples)  # no I/O: more for the same time
