"""Lines of the journal: what was written is read, and damage costs only what it hit."""

from __future__ import annotations

from array import array
from math import isnan

from hostpulse.report import Key, Layout
from hostpulse.storage.file import records
from hostpulse.storage.file.records import FORGOTTEN, Contents
from hypothesis import given
from hypothesis import strategies as st

LAYOUT = Layout((Key("cpu_percent_total"), Key("disk_percent", '/srv "x"\n\u2028{}')))
ID = records.layout_id(LAYOUT)
NAME = records.name_of("default", "srv_1")
NUMBERS = st.floats(allow_nan=True, allow_infinity=False)


def lines(count: int) -> list[bytes]:
    samples = [
        records.sample_line(NAME, 1000 * i, ID, array("d", [i, i / 1000])) for i in range(count)
    ]
    return [records.layout_line(ID, LAYOUT), *samples]


def times(contents: Contents) -> list[int]:
    return [entry.time_ms for entry in contents.entries]


@given(st.text(), st.text(), st.integers(0, 2**53), st.lists(NUMBERS, min_size=1, max_size=9))
def test_a_line_is_read_as_it_was_written(
    tenant: str, server: str, time_ms: int, numbers: list[float]
) -> None:
    layout = Layout(tuple(Key(f"custom.{i}", server) for i in range(len(numbers))))
    name, layout_id = records.name_of(tenant, server), records.layout_id(layout)
    data = (
        records.layout_line(layout_id, layout)
        + records.sample_line(name, time_ms, layout_id, array("d", numbers))
        + records.forget_line(name)
    )
    assert data.count(b"\n") == 3
    found = records.read(data)
    assert found.damaged == []
    assert found.layouts[layout_id].keys == layout.keys
    sample, forgotten = found.entries
    assert records.owner_of(sample.name) == records.owner_of(forgotten.name) == (tenant, server)
    assert (sample.time_ms, forgotten.time_ms) == (time_ms, FORGOTTEN)
    again = records.values_of(sample.rest)
    assert all(a == b or (isnan(a) and isnan(b)) for a, b in zip(again, numbers, strict=True))


def test_whole_numbers_are_written_without_a_fraction() -> None:
    line = records.sample_line(NAME, 1, ID, array("d", [5.0, 1.25, -0.5, 12.0]))
    assert line.endswith(b'"values":[5,1.25,-0.5,12]}\n')


def test_a_tail_torn_at_any_byte_costs_only_the_torn_record() -> None:
    parts = lines(3)
    data, whole = b"".join(parts), len(b"".join(parts[:-1]))
    for cut in range(whole, len(data)):
        found = records.read(data[:cut])
        assert times(found) == [0, 1000]
        assert found.damaged == ([(whole, cut)] if cut > whole else [])
    assert times(records.read(data)) == [0, 1000, 2000]


def test_a_file_torn_at_any_byte_gives_every_record_before() -> None:
    parts = lines(40)
    data = b"".join(parts)
    ends = [len(b"".join(parts[: i + 1])) for i in range(len(parts))]
    for cut in range(len(data)):
        complete = sum(end <= cut for end in ends)
        found = records.read(data[:cut])
        assert len(found.entries) + len(found.layouts) == complete


def test_a_flipped_bit_in_the_last_record_never_makes_another_record() -> None:
    parts = lines(3)
    data, whole = b"".join(parts), len(b"".join(parts[:-1]))
    good = records.read(data).entries
    for at in range(whole, len(data)):
        for bit in range(8):
            hit = bytearray(data)
            hit[at] ^= 1 << bit
            found = records.read(bytes(hit))
            assert found.entries == good[:2]
            assert found.damaged[0][0] == whole


def test_a_flipped_bit_in_the_middle_costs_only_its_record() -> None:
    parts = lines(4)
    data = b"".join(parts)
    start = len(parts[0] + parts[1])
    for at in range(start, start + len(parts[2]) - 1):
        hit = bytearray(data)
        hit[at] ^= 4
        found = records.read(bytes(hit))
        assert times(found) == [0, 2000, 3000]
        assert found.damaged[0][0] == start


def test_a_line_break_that_was_hit_costs_nothing_beside_it() -> None:
    parts = lines(3)
    data = bytearray(b"".join(parts))
    data[len(parts[0] + parts[1]) - 1] ^= 1
    assert times(records.read(bytes(data))) == [0, 1000, 2000]


def test_zeros_behind_the_last_record_are_damage_and_no_record() -> None:
    data = b"".join(lines(2))
    found = records.read(data + bytes(4096))
    assert times(found) == [0, 1000]
    assert found.damaged == [(len(data), len(data) + 4096)]
