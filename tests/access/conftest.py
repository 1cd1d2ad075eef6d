"""Backends with sign-in, on either control store."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.access.secrecy import repeated, secrets_in
from tests.backend.control_places import PLACES, Place, place_of
from tests.backend_under_test import Backend, Clock


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An empty control store."""
    return place_of(request, request.param, tmp_path / "data")


@pytest.fixture
def backend(place: Place) -> Iterator[Backend]:
    """A backend with sign-in that nobody owns yet."""
    with place.backend(auth=True) as running:
        yield running


@pytest.fixture
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[Backend]]:
    """Two backends on one PostgreSQL."""
    shared = place_of(request, "postgresql", tmp_path)
    with ExitStack() as stack:
        clock = Clock()
        yield [
            stack.enter_context(Place(tmp_path / name, shared.url).backend(clock, auth=True))
            for name in ("one", "other")
        ]


@pytest.fixture(autouse=True)
def no_answer_repeats_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold every answer that a test of this folder gets to what its request said in confidence."""
    ask = Backend.request

    def watched(self: Backend, method: str, path: str, **more: Any) -> requests.Response:
        answer = ask(self, method, path, **more)
        assert repeated(answer) == set(), f"{method} {path}"
        return answer

    monkeypatch.setattr(Backend, "request", watched)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail each test of this folder whose log or output has a secret."""
    report = yield
    found = {secret for _, text in report.sections for secret in secrets_in(text)}
    if found:
        report.outcome = "failed"
        report.longrepr = f"{len(found)} secrets are in what was logged or printed"
    return report
