"""What an organisation that sends far more than it may costs another one: its latency, in turns."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

from access import Keyed, command, first_owner, owner, with_keys
from callers import Answers, Caller, run
from client import drive, get, percentile, post
from fleet import STEP_SECONDS, dues, fleet_start_ms, ticks_to_come
from process import BenchError
from rounds import spread
from sides import FILE, Side, start_hostpulse
from table import Result, Target, table
from workload import Fleet

QUOTA_PER_MINUTE = 6000  # what 500 agents send
AGENTS, READERS, READS_PER_SECOND = 100, 5, 10
NOISE_CONNECTIONS, NOISE_SERVERS = 20, 10
SILENT, AS_IT_MAY, TEN_TIMES = "is silent", "sends what it may", "sends ten times that"
SHARE = {SILENT: 0, AS_IT_MAY: 1, TEN_TIMES: 10}
LIMIT = 1.2
_HEAD_START_SECONDS = 1.0
_noise: list[bytes] = []  # in the process of the loud one


@dataclass
class Felt:
    """What the quiet organisation felt in one round, and what was said to the loud one."""

    posts: Answers
    reads: Answers
    accepted: int
    refused: int


@dataclass(frozen=True)
class Quiet:
    """The organisation whose latency counts: agents that report and people who read."""

    side: Keyed
    fleet: Fleet
    browser: dict[str, str]

    def live(self, seconds: int, started: float) -> tuple[Answers, Answers]:
        """Let agents and people do what they always do; return what their posts and reads got."""
        posts, reads = Answers(self.side.check), Answers(_shown)
        self.fleet.go_on_at(fleet_start_ms())
        reports = [self.side.request(batch) for batch in ticks_to_come(self.fleet, seconds)]
        chart = "history?metrics=cpu_percent_total&start=-1h&end=now&points=400"
        read = get(f"/api/servers/{self.fleet.hostnames[0]}/{chart}", self.browser)
        every = READERS / READS_PER_SECOND
        port = self.side.port
        agents = [
            Caller(port, reports[n::AGENTS], posts, due, STEP_SECONDS)
            for n, due in enumerate(dues(started, AGENTS))
        ]
        readers = [
            Caller(port, [read] * int(seconds / every), reads, started + n / 7, every)
            for n in range(READERS)
        ]
        run([*agents, *readers])
        return posts, reads


def measure(rounds: int, quick: bool) -> Result:
    """Let the quiet one live while the other is silent, sends what it may, and ten times that."""
    seconds = 5 if quick else 15
    settings = {"HOSTPULSE_TENANT_REQUESTS_PER_MINUTE": str(QUOTA_PER_MINUTE)}
    with ExitStack() as stack:
        side = start_hostpulse(stack, FILE, auth=True, settings=settings)
        quiet = _quiet(side)
        key = command(side.data, "key", "create", "--label", "loud")
        pool = stack.enter_context(ProcessPoolExecutor(1))
        felt: dict[str, list[Felt]] = {name: [] for name in SHARE}
        for number in range(rounds + 1):
            for name in SHARE if number % 2 else reversed(SHARE):
                per_second = SHARE[name] * QUOTA_PER_MINUTE // 60
                pool.submit(prepare_noise, key, per_second * seconds).result()
                started = time.monotonic() + _HEAD_START_SECONDS
                noise = pool.submit(make_noise, side.port, per_second, started)
                felt[name].append(Felt(*quiet.live(seconds, started), *noise.result()))
    # The first round used up what the loud one may send at once.
    return _result({name: each[1:] for name, each in felt.items()}, seconds)


def _quiet(side: Side) -> Quiet:
    assert side.data is not None
    first_owner(side.data, side.port)
    link = command(side.data, "tenant", "create", "quiet")
    fleet = Fleet(fleet_start_ms(), AGENTS)
    browser = owner(side.port, link, "bob")
    keyed = with_keys(side, fleet.hostnames, "quiet")
    drive(side.port, map(keyed.request, fleet.batches(AGENTS, 1)), 1, keyed.check)
    return Quiet(keyed, fleet, browser)


def prepare_noise(key: str, count: int) -> None:
    """Write so many requests of one report each, in the process that will send them."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    batches = Fleet(fleet_start_ms(), NOISE_SERVERS).batches(count, 1)
    _noise[:] = [post("/api/metrics", batch.report, headers) for batch in batches]


def make_noise(port: int, per_second: int, started: float) -> tuple[int, int]:
    """Send what was prepared, so many a second; return how many were accepted and refused."""
    answers = Answers(lambda status, _: int(status == 200))
    every = NOISE_CONNECTIONS / per_second if per_second else 1.0
    callers = [
        Caller(port, _noise[n::NOISE_CONNECTIONS], answers, due, every)
        for n in range(NOISE_CONNECTIONS)
        for due in [started + n * every / NOISE_CONNECTIONS]
    ]
    run(callers)
    return answers.accepted, answers.refused


def _shown(status: int, body: bytes) -> int:
    if status != 200 or not json.loads(body)["series"]:
        raise BenchError(f"Hostpulse showed no chart: {status} {body[:300]!r}")
    return 0


def _result(felt: dict[str, list[Felt]], seconds: int) -> Result:
    result = Result("An organisation that sends ten times what it may, beside a quiet one")
    head = ["the loud one", "accepted", "refused", "posts p50 ms", "p99 ms"]
    rows = [_row(name, each) for name, each in felt.items()]
    result.parts.append(table([*head, "charts p50 ms", "p99 ms"], rows))
    result.parts.append(
        f"Waits of the quiet one, counted from when each was due: {AGENTS} agents that report "
        f"every {STEP_SECONDS:g} s with their keys, and {READS_PER_SECOND} charts a second for a "
        f"person. Median (least to most) of {len(felt[SILENT])} rounds of {seconds} s in turns, to "
        f"{FILE} with tenant_requests_per_minute at {QUOTA_PER_MINUTE}, because no client here "
        "could send ten times the default; ratios are the median of the rounds'. The loud one has "
        f"one key, a process and {NOISE_CONNECTIONS} connections."
    )
    rounds = [each for those in felt.values() for each in those]
    refused = sum(each.posts.refused + each.reads.refused for each in rounds)
    result.targets += [
        Target("p99 of a post beside ten times, beside silence", _ratio(felt, "posts"), LIMIT),
        Target("p99 of a chart beside ten times, beside silence", _ratio(felt, "reads"), LIMIT),
        Target("requests of the quiet one refused", refused, 0, "requests"),
    ]
    return result


def _ratio(felt: dict[str, list[Felt]], kind: str) -> float:
    pairs = zip(_waits(felt[TEN_TIMES], kind, 99), _waits(felt[SILENT], kind, 99), strict=True)
    return median(beside / alone for beside, alone in pairs)


def _waits(rounds: Sequence[Felt], kind: str, percent: int) -> list[float]:
    said: list[Answers] = [getattr(each, kind) for each in rounds]
    return [percentile(each.waits_ms, percent) for each in said]


def _row(name: str, rounds: Sequence[Felt]) -> list[str]:
    waits = [
        spread(_waits(rounds, kind, percent), 1)
        for kind in ("posts", "reads")
        for percent in (50, 99)
    ]
    counts = (sum(getattr(each, of) for each in rounds) for of in ("accepted", "refused"))
    return [name, *(f"{count:,}" for count in counts), *waits]
