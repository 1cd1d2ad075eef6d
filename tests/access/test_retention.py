"""Who may see how long samples are kept, and of whom what they take."""

from __future__ import annotations

from hostpulse.access.principal import ADMIN, Principal
from hostpulse.storage import TierUsage
from hostpulse.storage.tiers import DAY_MS

from tests.access.world import Organisation, World
from tests.backend_under_test import Backend


def state_for(backend: Backend, org: Organisation, who: str) -> dict[str, object]:
    answer = backend.request("GET", "/api/retention", headers=org.people[who].headers)
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


def test_an_admin_sees_the_share_of_the_own_organisation_alone() -> None:
    with Backend(auth=True) as backend:
        world = World(backend)
        seen = state_for(backend, world.home, "admin")
        both = backend.parts.storage.usage().servers
        own = {key: size for key, size in both.items() if key[0] == world.home.id}
        assert 0 < len(own) < len(both)
        assert (seen["servers"], seen["size_bytes"]) == (len(own), sum(own.values()))
        assert seen["tiers"] == [{"name": "raw", "keep_ms": None}]


def test_what_all_take_together_is_an_operators_to_see() -> None:
    with Backend(auth=True) as backend:
        world = World(backend)
        backend.parts.people.members.make_operator(
            Principal(world.home.id, grants=ADMIN), world.home.people["admin"].id, True
        )
        (raw,) = state_for(backend, world.home, "admin")["tiers"]  # type: ignore[misc]
        assert raw["size_bytes"] == sum(backend.parts.storage.usage().servers.values())


def test_a_tier_is_reckoned_full_from_a_day_of_the_present_fleet() -> None:
    assert TierUsage("raw", 500, 10, 0, 2 * DAY_MS, 300).full_bytes(DAY_MS) == 600
    assert TierUsage("raw", 500, 10, 0, 2 * DAY_MS).full_bytes(DAY_MS) == 1000
    assert TierUsage("raw", 500, 10, 0, None).full_bytes(DAY_MS) == 500
    assert TierUsage("raw", None, None, None, DAY_MS).full_bytes(DAY_MS) is None
