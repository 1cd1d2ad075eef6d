"""A tag in the list is whole or counted; a long name gives way before it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.backend_under_test import Backend
from tests.pages.browser import NARROW, WIDE, Tab
from tests.pages.machines import Machine, feed_once

LONG = "a-server-with-a-name-of-forty-letters-01"
SIX = ("production", "region:frankfurt", "database", "team:storage", "tier:gold", "rack:b17")
SHORT = ("prod", "fra", "db", "gold", "b17", "eu")
NAMES = """() => [...document.querySelectorAll("tr.line .c-name")].map((cell) => {
  const link = cell.querySelector("a");
  const right = cell.getBoundingClientRect().right;
  const tags = [...cell.querySelectorAll(".tag")];
  return {
    name: link.textContent,
    name_px: link.offsetWidth,
    tags: tags.map((tag) => tag.textContent),
    whole: tags.every((tag) => tag.scrollWidth <= tag.offsetWidth
      && tag.getBoundingClientRect().right <= right),
  };
})"""


def shown(tab: Tab) -> dict[str, Any]:
    tab.go_to_list()
    return {one["name"]: one for one in tab.run(NAMES)}


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_two_tags_stand_beside_a_name_and_the_others_are_counted(
    backend: Backend, open_tab: Callable[..., Tab], width: int
) -> None:
    feed_once(backend, [Machine(LONG, SHORT), Machine("db-1", SHORT[:2])])
    names = shown(open_tab(width=width))
    assert names[LONG]["tags"] == ["prod", "fra", "+4"]
    assert names["db-1"]["tags"] == ["prod", "fra"]
    assert all(one["whole"] for one in names.values()), names


@pytest.mark.parametrize("width", [NARROW, 800, WIDE, 1920])
def test_no_tag_is_cut_off_and_none_is_lost(
    backend: Backend, open_tab: Callable[..., Tab], width: int
) -> None:
    feed_once(backend, [Machine(LONG, SIX), Machine("db-1", SIX), Machine("bare", ())])
    for one in shown(open_tab(width=width)).values():
        tags = one["tags"]
        counted = int(tags[-1]) if tags and tags[-1].startswith("+") else 0
        assert len(tags) - bool(counted) + counted == (0 if one["name"] == "bare" else len(SIX))
        assert one["whole"], one
        assert one["name_px"] >= 30, one


def test_a_wider_window_shows_more_tags(backend: Backend, open_tab: Callable[..., Tab]) -> None:
    feed_once(backend, [Machine("db-1", SIX)])
    tab = open_tab(width=WIDE)
    before = shown(tab)["db-1"]["tags"]
    tab.page.set_viewport_size({"width": 1920, "height": 900})
    tab.until("() => document.querySelectorAll('tr.line .tag').length === 3")
    assert before[-1] == "+5"
    assert tab.texts("tr.line .tag") == [*SIX[:2], "+4"]
