"""The numbers of your own, each source in a thread with a deadline."""

from __future__ import annotations

from functools import partial

from hostpulse_agent.custom import (
    FUNCTION,
    MAX_NUMBERS,
    CustomError,
    Numbers,
    checked,
    is_trusted,
    load_function,
    merge,
    read_file,
    run_program,
    sources,
)
from hostpulse_agent.deadline import Call, Late
from hostpulse_agent.host import Host

# A program may wait for its children's end a moment longer than for its output.
GRACE_SECONDS = 0.2


class Custom:
    """Asks the Python function and everything in the folder."""

    name = "custom"

    def __init__(self, host: Host) -> None:
        self._host = host
        self._function = load_function(host.custom_file) if host.custom_file else None

    def collect(self, errors: list[str]) -> dict[str, object]:
        host = self._host
        if not (self._function or host.custom_dir):
            return {}
        quick: dict[str, Call] = {}
        slow: dict[str, Call] = {}
        if self._function is not None:
            host.tree.note(host.custom_file)
            slow[FUNCTION + "()"] = self._function
        if host.custom_dir:
            self._add_folder(quick, slow, errors)
        seconds = host.custom_seconds
        outcomes = host.deadline.run(quick) if quick else {}
        outcomes.update(host.deadline.run_together(slow, seconds + GRACE_SECONDS) if slow else {})
        return self._merged(outcomes, errors)

    def _add_folder(self, quick: dict[str, Call], slow: dict[str, Call], errors: list[str]) -> None:
        host = self._host
        host.tree.note(host.custom_dir)
        if not is_trusted(host.custom_dir):
            errors.append(f"custom: {host.custom_dir} is writable for others and not read")
            return
        texts, programs, strange = sources(host.custom_dir)
        for name in strange:
            errors.append(f"custom: {name} must belong to root or the agent's user")
        for path in [*texts, *programs]:
            host.tree.note(str(path))
        quick.update({path.name: partial(read_file, path) for path in texts})
        slow.update({p.name: partial(run_program, p, host.custom_seconds) for p in programs})

    def _merged(self, outcomes: dict[str, object], errors: list[str]) -> dict[str, object]:
        numbers: Numbers = {}
        for name, outcome in outcomes.items():
            try:
                merge(numbers, _numbers(outcome))
            except CustomError as error:
                errors.append(f"custom: {name} {error}")
        if len(numbers) > MAX_NUMBERS:
            errors.append(f"custom: only the first {MAX_NUMBERS} of {len(numbers)} names are sent")
            numbers = dict(list(numbers.items())[:MAX_NUMBERS])
        return {"custom": numbers} if numbers else {}


def _numbers(outcome: object) -> Numbers:
    """Return what a source gave, or raise the sentence that says why it gave nothing."""
    if isinstance(outcome, Late):
        raise CustomError("does not answer")
    if isinstance(outcome, CustomError):
        raise outcome
    if isinstance(outcome, Exception):
        raise CustomError(f"fails: {type(outcome).__name__}: {outcome}")
    return checked(outcome)
