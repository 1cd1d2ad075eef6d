"""A real nginx with `deploy/nginx/hostpulse.conf`, in front of backends of a test's own."""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from pathlib import Path

import trustme

from tests.backend_under_test import eventually
from tests.programs import Program, free_port

CONFIG = Path(__file__).parents[1] / "deploy/nginx/hostpulse.conf"
NAME = "localhost"
AROUND = """
daemon off;
pid nginx.pid;
error_log stderr warn;
events { worker_connections 1024; }
http {
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    include hostpulse.conf;
}
"""


class Nginx(Program):
    """Listens on a free port with TLS; `changes` are words of the file to be replaced."""

    def __init__(
        self,
        program: str,
        folder: Path,
        authority: trustme.CA,
        backends: Sequence[int],
        changes: dict[str, str] | None = None,
    ) -> None:
        self.port, self.plain_port = free_port(), free_port()
        self.url = f"https://{NAME}:{self.port}"
        self.plain_url = f"http://{NAME}:{self.plain_port}"
        self.folder = folder
        (folder / "logs").mkdir(parents=True)
        certificate = authority.issue_cert(NAME, "127.0.0.1")
        certificate.private_key_pem.write_to_path(folder / "key.pem")
        for blob in certificate.cert_chain_pems:
            blob.write_to_path(folder / "cert.pem", append=True)
        (folder / "nginx.conf").write_text(AROUND)
        text = self._adapted(CONFIG.read_text(), backends)
        for old, new in (changes or {}).items():
            assert old in text
            text = text.replace(old, new)
        (folder / "hostpulse.conf").write_text(text)
        line = [program, "-p", str(folder), "-c", str(folder / "nginx.conf")]
        super().__init__(line, folder / "nginx.log")
        try:
            eventually(self._listens, 20)
        except AssertionError:
            self.kill()
            raise

    def _adapted(self, text: str, backends: Sequence[int]) -> str:
        """Change what the file says is to be changed, and the ports."""
        lines = [f"    server 127.0.0.1:{port} max_fails=1 fail_timeout=5s;" for port in backends]
        text = re.sub(r"(    server 127\.0\.0\.1:\d+ .*\n)+", "\n".join(lines) + "\n", text)
        text = re.sub(r"    listen \[::\].*\n", "", text)  # not every machine has IPv6
        text = text.replace("listen 80;", f"listen 127.0.0.1:{self.plain_port};")
        text = text.replace("listen 443 ", f"listen 127.0.0.1:{self.port} ")
        text = text.replace("/etc/letsencrypt/live/monitor.example.com/fullchain.pem", "cert.pem")
        text = text.replace("/etc/letsencrypt/live/monitor.example.com/privkey.pem", "key.pem")
        return text.replace("monitor.example.com", NAME)

    def _listens(self) -> bool:
        assert self.process.poll() is None, self.written()
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True
