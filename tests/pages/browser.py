"""A real browser, and one tab of it that remembers what went wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE, NARROW = 1440, 390
THEMES = ("light", "dark")
SERVER_READY = ".server-page #chart-cpu canvas"
LIST_READY = ".list:not(.preview) > table.servers:not([aria-busy]) tbody tr.line"
WATCH_POLICY = """
globalThis.__violations = [];
addEventListener("securitypolicyviolation", (event) =>
  __violations.push(`${event.violatedDirective}: ${event.blockedURI}`));
"""


@contextmanager
def chromium(program: str) -> Iterator[Browser]:
    """Run headless Chromium while the block runs."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


class Tab:
    """A page of the dashboard at `url`; it keeps errors, refused content and requests."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.url = url
        self.page: Page = context.new_page()
        self.errors: list[str] = []
        self.console: list[ConsoleMessage] = []
        self.requested: list[str] = []
        self.page.add_init_script(WATCH_POLICY)
        self.page.on("pageerror", lambda error: self.errors.append(str(error.stack)))
        self.page.on("console", lambda message: self.console.append(message))  # noqa: PLW0108
        self.page.on("request", lambda request: self.requested.append(request.url))

    def go(self, path: str, ready: str) -> None:
        """Open a path and wait until this selector is on the page."""
        self.page.goto(self.url + path)
        self.page.wait_for_selector(ready)

    def go_to_list(self, query: str = "") -> None:
        """Open the Servers page and wait for its rows."""
        self.go(f"/{query}", LIST_READY)

    def go_to_server(self, name: str = "web-1", query: str = "") -> None:
        """Open a Server page and wait for its charts."""
        self.go(f"/servers/{name}{query}", SERVER_READY)
        self.until("() => !document.querySelector('[data-loading]')")

    def run(self, script: str, argument: Any = None) -> Any:
        """Evaluate a script in the page."""
        return self.page.evaluate(script, argument)

    def until(self, script: str, argument: Any = None, seconds: float = 10) -> None:
        """Wait until a script in the page gives true; works with a clock that stands still."""
        deadline = time.monotonic() + seconds
        while not self.run(script, argument):
            assert time.monotonic() < deadline, f"not in time: {script}"
            self.page.wait_for_timeout(20)

    def text(self, selector: str) -> str:
        """Return the visible text of the first match."""
        return self.page.inner_text(selector)

    def texts(self, selector: str) -> list[str]:
        """Return the trimmed text of every match."""
        return [text.strip() for text in self.page.locator(selector).all_inner_texts()]

    def query(self) -> str:
        """Return the query of the address."""
        return urlsplit(self.page.url).query

    def pass_seconds(self, seconds: int, each: Callable[[], None] = lambda: None) -> None:
        """Let the page's clock run, a second at a time, with answers arriving in between."""
        for _ in range(seconds):
            each()
            self.page.clock.run_for(1000)
            self.page.wait_for_timeout(15)

    def violations(self) -> list[str]:
        """Return what the content security policy refused."""
        return self.run("globalThis.__violations ?? []")  # type: ignore[no-any-return]


class Tabs:
    """Opens tabs, each in a profile of its own, and closes them all."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.opened: list[Tab] = []

    def open(self, url: str, width: int = WIDE, theme: str = "light", **more: Any) -> Tab:
        """Open an empty tab of that size; `more` is what Playwright's new_context takes."""
        size: Any = {"width": width, "height": 900}
        more.setdefault("timezone_id", "UTC")
        context = self._browser.new_context(viewport=size, color_scheme=theme, **more)  # type: ignore[arg-type]
        context.set_default_timeout(15_000)
        self._contexts.append(context)
        tab = Tab(context, url)
        self.opened.append(tab)
        return tab

    def close(self) -> None:
        for context in self._contexts:
            context.close()
