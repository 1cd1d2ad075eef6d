"""What the agent knows of the server's time."""

from __future__ import annotations

from hostpulse_agent.clock import Clock


class Machine:
    """Clocks that a test sets."""

    def __init__(self) -> None:
        self.boot = 500.0
        self.zero = 1_795_000_000.0

    def clock(self) -> Clock:
        return Clock(lambda: self.boot + self.zero, lambda: self.boot, lambda: self.boot)

    def measure(self, clock: Clock, ahead_ms: float) -> None:
        now = self.boot + self.zero
        clock.measure(now * 1000.0 + ahead_ms, now - 0.01, now + 0.01)


def test_below_two_seconds_the_clocks_count_as_the_same() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.measure(clock, 1999.0)
    assert clock.offset_ms == 0
    machine.measure(clock, -2500.0)
    assert clock.offset_ms == -2500


def test_the_noise_of_a_measurement_does_not_move_the_offset() -> None:
    machine = Machine()
    clock = machine.clock()
    for ahead_ms in (7_200_000.0, 7_200_100.0, 7_199_900.0):
        machine.measure(clock, ahead_ms)
        assert clock.offset_ms == 7_200_000
    machine.measure(clock, 7_201_000.0)
    assert clock.offset_ms == 7_201_000


def test_when_the_clock_is_set_the_offset_is_right_before_the_next_answer() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.measure(clock, -30_000.0)  # the machine is 30 s ahead
    machine.zero -= 30.0
    assert clock.stepped_seconds() == -30.0
    assert clock.offset_ms == 0
    assert clock.stepped_seconds() == 0.0


def test_a_suspend_is_no_step_of_the_clock() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.boot += 6 * 3600.0
    assert clock.stepped_seconds() == 0.0
