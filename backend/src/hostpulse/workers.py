"""Several processes that answer on one socket, and a parent that watches over them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from threading import Event, Thread

import structlog

from hostpulse import logs
from hostpulse.config import Config
from hostpulse.parts import build
from hostpulse.serve import SHUTDOWN_SECONDS, serve

_LOOK_SECONDS = 0.5
_PAUSE_SECONDS = 1.0


def serve_with_workers(config: Config, listener: socket.socket) -> None:
    """Answer requests in `config.workers` processes until a signal says stop.

    A worker that ends is replaced.
    """
    asked_to_stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT, getattr(signal, "SIGHUP", signal.SIGTERM)):
        signal.signal(number, lambda *_: asked_to_stop.set())
    log = structlog.get_logger("hostpulse.workers")
    workers = [_start(config, listener) for _ in range(config.workers)]
    while not asked_to_stop.is_set():
        connection.wait([worker.sentinel for worker in workers], _LOOK_SECONDS)
        for place, worker in enumerate(workers):
            if not worker.is_alive() and not asked_to_stop.wait(_PAUSE_SECONDS):
                log.error("a worker ended and is replaced", exit_code=worker.exitcode)
                workers[place] = _start(config, listener)
    _stop(workers)
    listener.close()


def _start(config: Config, listener: socket.socket) -> BaseProcess:
    # Spawned, not forked: threads and connections of the parent do not survive a fork.
    worker = multiprocessing.get_context("spawn").Process(
        target=_work, args=(config, listener), name="hostpulse-worker"
    )
    worker.start()
    return worker


def _work(config: Config, listener: socket.socket) -> None:
    logs.set_up(config.log_format, config.log_level)
    Thread(target=_end_with_the_parent, name="parent-watch", daemon=True).start()
    serve(build(config), listener)


def _end_with_the_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _stop(workers: list[BaseProcess]) -> None:
    for worker in workers:
        worker.terminate()
    for worker in workers:
        worker.join(2 * SHUTDOWN_SECONDS)
        if worker.is_alive():
            worker.kill()
            worker.join()
