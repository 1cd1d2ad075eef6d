"""Random posts, replays, late and early reports: the backend keeps what a small model keeps."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.backend_under_test import NOW_MS, Backend, report
from tests.conftest import ROUNDS

AHEAD_MS = 600_000
SECONDS = st.integers(-200, 700)
POSTS = st.lists(
    st.tuples(st.sampled_from(["a", "b"]), SECONDS, st.integers(0, 9)), min_size=1, max_size=6
)


class Replays(RuleBasedStateMachine):
    """What is stored is the first value of each time, and nothing twice."""

    def __init__(self) -> None:
        super().__init__()
        self.backend = Backend()
        self.kept: dict[tuple[str, int], int] = {}
        self.sent: list[list[dict[str, Any]]] = []

    def teardown(self) -> None:
        self.backend.close()

    @rule(posts=POSTS)
    def post(self, posts: list[tuple[str, int, int]]) -> None:
        now_ms = self.backend.clock()
        bodies = [
            report(name, now_ms + second * 1000, cpu={"cpu_percent_total": value})
            for name, second, value in posts
        ]
        times = [now_ms + s * 1000 if s * 1000 <= AHEAD_MS else now_ms for _, s, _ in posts]
        accepted = 0
        for (name, _, value), time in zip(posts, times, strict=True):
            accepted += (name, time) not in self.kept
            self.kept.setdefault((name, time), value)
        answer = self.backend.accept(bodies)
        assert answer["accepted"] == accepted
        assert answer["duplicates"] == len(posts) - accepted
        self.sent.append(
            [b for b, (_, s, _) in zip(bodies, posts, strict=True) if s * 1000 <= AHEAD_MS]
        )

    @rule(seconds=st.integers(0, 100))
    def wait(self, seconds: int) -> None:
        self.backend.clock.advance(seconds * 1000)

    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        sent = [bodies for bodies in self.sent if bodies]
        if sent:
            bodies = data.draw(st.sampled_from(sent))
            answer = self.backend.accept(bodies)
            assert (answer["accepted"], answer["duplicates"]) == (0, len(bodies))

    @invariant()
    def what_is_stored_is_what_the_model_has(self) -> None:
        for name in {name for name, _ in self.kept}:
            answer = self.backend.json(
                f"/api/servers/{name}/history",
                metrics="cpu_percent_total",
                start=NOW_MS - 3_600_000,
                end=NOW_MS + 36_000_000,
            )
            assert answer["raw"]
            pairs = zip(answer["times"], answer["series"][0]["mean"], strict=True)
            stored = {(name, time): value for time, value in pairs if value is not None}
            assert stored == {key: v for key, v in self.kept.items() if key[0] == name}


Replays.TestCase.settings = settings(
    max_examples=max(ROUNDS // 2, 5), stateful_step_count=12, deadline=None
)
TestReplays = Replays.TestCase
