"""The dashboard's files: the page for every path of it, and what the page loads."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, redirect, request, send_from_directory
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from hostpulse.access.principal import Need
from hostpulse.access.provider import CALLBACK_PATH
from hostpulse.api.asking import needing, principal
from hostpulse.control.servers import AmbiguousServer, UnknownServer
from hostpulse.parts import Parts

_PACKAGE = Path(__file__).resolve().parent.parent
_SHOWN = {".css", ".js", ".map", ".png", ".svg", ".txt"}
_HIDDEN = {"node_modules"}
PATHS = ("/welcome", "/sign-in", CALLBACK_PATH, "/settings", "/settings/<section>")
"""What the page shows besides servers; in the browser it finds its way by itself."""

_NO_PAGES = {"agent", "api", "static"}  # what lies below is for programs


class DashboardMissing(Exception):
    """The page's files are not complete; the message says what to do."""


def dashboard_folder() -> Path:
    """Return the folder of the page: the built one of the wheel, or the checkout's own.

    Raises DashboardMissing.
    """
    built = _PACKAGE / "dashboard"
    if (built / "index.html").is_file():
        return built
    checkout = _PACKAGE.parents[2] / "dashboard"
    if not (checkout / "index.html").is_file():
        raise DashboardMissing("The dashboard's files are missing; install the hostpulse wheel.")
    if not (checkout / "vendor" / "chart.js").is_file():
        raise DashboardMissing("Chart.js is missing; run `make setup` in the checkout.")
    return checkout


def pages_blueprint(parts: Parts) -> Blueprint:
    """Return the routes of the page."""
    pages = Blueprint("pages", __name__)
    views = _Views(parts, dashboard_folder())
    pages.get("/")(views.show_index)
    for path in PATHS:
        pages.get(path)(views.show_index)
    pages.get("/servers/<server>")(views.show_server)
    pages.get("/static/<path:name>")(views.show_file)
    pages.get("/api/docs.css")(_show_docs_style)
    pages.before_app_request(views.show_missing)
    return pages


class _Views:
    """Each view is one method."""

    def __init__(self, parts: Parts, folder: Path) -> None:
        self._parts = parts
        self._folder = folder
        # Names of the built page change with their content; in a checkout an edit shows at once.
        built = folder.parent == _PACKAGE
        self._caching = "public, max-age=31536000, immutable" if built else "no-cache"

    def _index(self, status: int = 200) -> Response:
        # A 404 is never answered with "not modified": the browser would be left without a page.
        page = send_from_directory(
            self._folder, "index.html", conditional=status == 200, etag=status == 200
        )
        page.headers["Cache-Control"] = "no-cache"
        page.status_code = status
        return page

    @needing(Need.OPEN)
    def show_index(self, section: str = "") -> Response:
        return self._index()

    @needing(Need.OPEN)
    def show_server(self, server: str) -> AnyResponse:
        if not principal().may(Need.READ):
            return self._index()  # it asks to sign in
        try:
            it = self._parts.servers.find(principal().tenant, server)
        except (UnknownServer, AmbiguousServer):
            return self._index(404)
        if it.id == server:
            return self._index()
        query = request.query_string.decode("latin-1")
        return redirect(f"/servers/{it.id}" + (f"?{query}" if query else ""))

    def show_missing(self) -> Response | None:
        """Show the page in place of the sentence, to people at an address that is none."""
        if not isinstance(request.routing_exception, NotFound):
            return None
        if request.path.split("/")[1] in _NO_PAGES or not _is_for_reading():
            return None
        return self._index(404)

    @needing(Need.OPEN)
    def show_file(self, name: str) -> Response:
        path = Path(name)
        if path.suffix not in _SHOWN or _HIDDEN & set(path.parts):
            raise NotFound
        file = send_from_directory(self._folder, name)
        file.headers["Cache-Control"] = self._caching
        return file


def _is_for_reading() -> bool:
    kinds = ["application/json", "text/html"]  # a client that takes anything is a program
    if request.method not in {"GET", "HEAD"}:
        return False
    return request.accept_mimetypes.best_match(kinds) == "text/html"


@needing(Need.OPEN)
def _show_docs_style() -> Response:
    return send_from_directory(_PACKAGE / "api" / "templates", "docs.css", max_age=3600)
