"""Numbers of your own: a Python function, text files in a folder, and programs there."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import math
import os
import re
import select
import signal
import stat
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Callable, Union

Numbers = dict[str, Union[float, dict[str, float]]]

FUNCTION = "get_custom_metrics"
TEXT_SUFFIXES = (".prom", ".json")
MAX_OUTPUT_BYTES = 65536
MAX_NUMBERS = 200
MAX_NAME_CHARACTERS = 100
STALE_SECONDS = 24 * 3600
PROM_LINE = re.compile(r"([a-zA-Z_:][\w:.]*)\s*(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?\s*$", re.ASCII)
PROM_LABEL = re.compile(r'\s*(\w+)\s*=\s*"((?:[^"\\]|\\.)*)"\s*,?', re.ASCII)


class CustomError(Exception):
    """A source gave nothing of use; the text says why in one sentence."""


def is_trusted(path: str | Path) -> bool:
    """Tell whether only root and the agent's own user can have written this file."""
    found = os.stat(path)  # noqa: PTH116 - the path may be text or Path
    return found.st_uid in (0, os.geteuid()) and not found.st_mode & stat.S_IWOTH


def load_function(path: str) -> Callable[[], object]:
    """Return get_custom_metrics() of a Python file."""
    if not is_trusted(path):
        raise CustomError(f"{path} must belong to root or the agent's user, writable for no other")
    spec = importlib.util.spec_from_file_location("hostpulse_custom", path)
    if spec is None or spec.loader is None:
        raise CustomError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise CustomError(f"{path} fails: {type(error).__name__}: {error}") from error
    function = getattr(module, FUNCTION, None)
    if not callable(function):
        raise CustomError(f"{path} has no function {FUNCTION}()")
    return function  # type: ignore[no-any-return]


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return abs(value) < 2**63 and math.isfinite(value)


def _is_name(name: object) -> bool:
    return isinstance(name, str) and 0 < len(name) <= MAX_NAME_CHARACTERS and name.isprintable()


def _checked_instances(name: str, value: Mapping[str, float]) -> dict[str, float]:
    for instance, number in value.items():
        if not (_is_name(instance) and _is_number(number)):
            raise CustomError(f"{name}: {instance!r:.60} has no finite number")
    return dict(value)


def checked(found: object) -> Numbers:
    """Return what is a number, or a map from instance to number; refuse anything else."""
    if not isinstance(found, Mapping):
        raise CustomError(f"gives {type(found).__name__} instead of names with numbers")
    numbers: Numbers = {}
    for name, value in found.items():
        if not _is_name(name):
            raise CustomError(f"{name!r:.60} is no name of a metric")
        if isinstance(value, Mapping):
            bad = [
                one for one, number in value.items() if not (_is_name(one) and _is_number(number))
            ]
            if bad:
                raise CustomError(f"{name}: {bad[0]!r:.60} has no finite number")
            numbers[name] = dict(value)
        elif _is_number(value):
            numbers[name] = value
        else:
            raise CustomError(f"{name} has no finite number")
    return numbers


def _instance(labels: str) -> str:
    """Name an instance by its label; by all of them with their names if there are several."""
    pairs = PROM_LABEL.findall(labels)
    if len(pairs) == 1:
        return str(pairs[0][1])
    return ",".join(f"{name}={value}" for name, value in sorted(pairs))


def parse_prom(text: str) -> Numbers:
    """Read Prometheus' text format; NaN and infinity are no numbers to chart."""
    numbers: Numbers = {}
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = PROM_LINE.match(line)
        if found is None:
            raise CustomError(f"cannot read the line {line.strip()!r:.60}")
        name, labels, value = found[1], found[2] or "", _float(found[3])
        if not math.isfinite(value):
            continue
        if not labels.strip():
            numbers[name] = value
            continue
        instances = numbers.setdefault(name, {})
        if isinstance(instances, dict):
            instances[_instance(labels)] = value
    return numbers


def _float(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise CustomError(f"{word!r:.60} is no number") from None


def parse(content: bytes) -> Numbers:
    """Read a JSON object, or else Prometheus' text."""
    if len(content) > MAX_OUTPUT_BYTES:
        raise CustomError(f"gives more than {MAX_OUTPUT_BYTES} bytes")
    text = content.decode("utf-8", "backslashreplace")
    if not text.lstrip().startswith("{"):
        return checked(parse_prom(text))
    try:
        return checked(json.loads(text))
    except (ValueError, RecursionError):
        raise CustomError("gives JSON that cannot be read") from None


def read_file(path: Path) -> Numbers:
    """Read one text file of the folder."""
    with path.open("rb") as file:
        if time.time() - os.fstat(file.fileno()).st_mtime > STALE_SECONDS:
            raise CustomError("has not been written for a day")
        return parse(file.read(MAX_OUTPUT_BYTES + 1))


def run_program(path: Path, seconds: float) -> Numbers:
    """Run one program of the folder and read what it prints; kill it when its time is over."""
    process = subprocess.Popen(
        [str(path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={"PATH": os.defpath, "LC_ALL": "C"},
        start_new_session=True,
    )
    try:
        output = _output(process, time.monotonic() + seconds)
        status = process.wait(max(0.0, seconds))
    except subprocess.TimeoutExpired:
        raise CustomError(f"does not end within {seconds:g} s") from None
    finally:
        _end(process)
    if status != 0:
        raise CustomError(f"ends with status {status}")
    return parse(output)


def _output(process: subprocess.Popen[bytes], until: float) -> bytes:
    assert process.stdout is not None  # noqa: S101 - opened as a pipe above
    pipe = process.stdout.fileno()
    output = b""
    while len(output) <= MAX_OUTPUT_BYTES:
        left = until - time.monotonic()
        if left <= 0 or not select.select([pipe], [], [], left)[0]:
            raise subprocess.TimeoutExpired(process.args, left)
        chunk = os.read(pipe, MAX_OUTPUT_BYTES)
        if not chunk:
            return output
        output += chunk
    raise CustomError(f"prints more than {MAX_OUTPUT_BYTES} bytes")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the program with everything it has started, and let go of its pipe."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def sources(folder: str) -> tuple[list[Path], list[Path], list[str]]:
    """Return the text files, the programs, and the names of files that are not to be trusted."""
    texts, programs, strange = [], [], []
    for path in sorted(Path(folder).iterdir()):
        if path.name.startswith(".") or not path.is_file():
            continue
        is_text = path.suffix in TEXT_SUFFIXES
        if not is_text and not os.access(path, os.X_OK):
            continue
        if not is_trusted(path):
            strange.append(path.name)
        elif is_text:
            texts.append(path)
        else:
            programs.append(path)
    return texts, programs, strange


def merge(into: Numbers, found: Numbers) -> None:
    """Add numbers to those of other sources; instances of one name come together."""
    for name, value in found.items():
        known = into.get(name)
        if isinstance(known, dict) and isinstance(value, dict):
            known.update(value)
        else:
            into[name] = value
