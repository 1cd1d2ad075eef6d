"""The registry of servers and their status."""

from __future__ import annotations

import sys
from threading import Thread

import pytest
from hostpulse.control.servers import Server, Servers, TooManyServers, UnknownServer, server_id
from hostpulse.control.status import status_at

from tests.backend_under_test import NOW_MS, Backend, report

SECOND = 1000


def at_interval(backend: Backend, seconds: float | None) -> Server:
    agent = {"version": "1"} | ({} if seconds is None else {"interval_seconds": seconds})
    backend.accept(report(agent=agent))
    return backend.parts.servers.find("default", "web-1")


@pytest.mark.parametrize(
    ("interval", "late_after", "down_after"),
    [(None, 15, 60), (1, 15, 60), (5, 15, 60), (10, 30, 120), (300, 900, 3600)],
)
def test_the_status_changes_exactly_at_its_borders(
    backend: Backend, interval: float | None, late_after: int, down_after: int
) -> None:
    server = at_interval(backend, interval)
    ages = {
        0: "up",
        late_after * SECOND: "up",
        late_after * SECOND + 1: "late",
        down_after * SECOND: "late",
        down_after * SECOND + 1: "down",
        10**12: "down",
    }
    assert {age: status_at(server, NOW_MS + age) for age in ages} == ages


def join(servers: Servers, hostname: str, tenant: str = "t") -> Server:
    """Let a server in that reports under this hostname for the first time."""
    server = servers.admit(tenant, servers.newcomer(tenant, hostname, NOW_MS))
    servers.give_back(tenant, 1)
    return server


def test_a_server_without_a_sample_waits_and_a_paused_one_is_paused() -> None:
    server = Server("srv_1", 1, "web-1", NOW_MS)
    assert status_at(server, NOW_MS) == "waiting"
    server.paused = True
    assert status_at(server, NOW_MS) == "paused"


def test_an_id_is_opaque_steady_and_of_its_tenant() -> None:
    one = server_id("default", "web-1")
    assert one == server_id("default", "web-1")
    assert len({one, server_id("default", "web-2"), server_id("b", "web-1")}) == 3
    assert one.startswith("srv_")
    assert len(one) == 20


def test_a_server_is_found_by_id_and_by_hostname_in_its_tenant_alone() -> None:
    servers = Servers(10)
    server = join(servers, "web-1", "a")
    assert servers.find("a", "web-1") is servers.find("a", server.id) is server
    for tenant, name in [("b", "web-1"), ("a", "web-2"), ("a", "")]:
        with pytest.raises(UnknownServer):
            servers.find(tenant, name)


def test_there_is_an_end_to_new_servers() -> None:
    servers = Servers(2)
    for name in ("a", "b"):
        join(servers, name)
    with pytest.raises(TooManyServers, match=r"^hostname: c "):
        join(servers, "c")
    servers.forget("t", servers.find("t", "a"))
    assert join(servers, "c").hostname == "c"


def test_a_newcomer_is_seen_by_nobody_until_it_is_admitted_and_has_a_place_meanwhile() -> None:
    servers = Servers(1)
    newcomer = servers.newcomer("t", "a", NOW_MS)
    assert (servers.all("t"), servers.of_all_tenants(), servers.count("t")) == ([], [], 0)
    with pytest.raises(TooManyServers):
        servers.newcomer("t", "b", NOW_MS)
    servers.give_back("t", 1)
    other = servers.newcomer("t", "b", NOW_MS)
    servers.give_back("t", 1)
    assert servers.admit("t", other) is other
    assert servers.all("t") == [other]
    assert servers.admit("t", newcomer) is newcomer  # its samples are stored: there is no way back


def test_of_two_who_arrive_as_one_the_first_is_admitted() -> None:
    servers = Servers(2)
    first, second = (servers.newcomer("t", "a", NOW_MS) for _ in range(2))
    assert servers.admit("t", second) is servers.admit("t", first) is second
    assert servers.all("t") == [second]


def test_a_server_can_be_forgotten_while_it_reports(rounds: int) -> None:
    servers, failures, usual = Servers(10), list[BaseException](), sys.getswitchinterval()

    def meet(servers: Servers) -> Server:
        return servers.plain("t", "web-1") or join(servers, "web-1")

    def report_on() -> None:
        try:
            for _ in range(5000 * rounds):
                meet(servers)
        except BaseException as error:  # noqa: BLE001 - told by the test
            failures.append(error)

    def forget() -> None:
        while reporter.is_alive():
            servers.forget("t", meet(servers))

    reporter = Thread(target=report_on)
    sys.setswitchinterval(1e-6)
    try:
        reporter.start()
        forget()
    except KeyError as error:
        failures.append(error)
    finally:
        reporter.join()
        sys.setswitchinterval(usual)
    assert failures == []
