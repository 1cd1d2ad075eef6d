"""The tables that samples are exported to: each number at its time, in its column."""

from __future__ import annotations

import csv
import io
import json
import re
from array import array
from datetime import UTC, datetime
from math import nan

import pyarrow.parquet as pq
from hostpulse.export import WRITERS, column_name, in_order
from hostpulse.report import Key, Layout, Sample
from hypothesis import example, given
from hypothesis import strategies as st

START_MS = 1_795_392_000_123
CPU, DISK = Key("cpu_percent_total"), Key("disk_used", 'a "b", {c}\nd')
KEYS = [CPU, DISK]
BOTH, ALONE = Layout((CPU, DISK)), Layout((DISK,))
SAMPLES = [
    Sample("srv_1", START_MS, BOTH, array("d", [12.345, 2.0**52])),
    Sample("srv_1", START_MS + 5000, BOTH, array("d", [nan, 7.0])),
    Sample("srv_1", START_MS + 9999, ALONE, array("d", [8.0])),
]
TIMES = ["2026-11-23T00:00:00.123Z", "2026-11-23T00:00:05.123Z", "2026-11-23T00:00:10.122Z"]
CPU_COLUMN, DISK_COLUMN = column_name(CPU), column_name(DISK)


FORMULA = re.compile("[=+@\t\r＝＋－＠]|-(?![0-9.e-]+$)")
ODD = st.text(st.sampled_from("=+-@\t\r\n'\",; aé1＝") | st.characters(codec="utf-8"), max_size=12)


def exported(form: str) -> bytes:
    out = io.BytesIO()
    WRITERS[form](out, KEYS, iter(SAMPLES))
    return out.getvalue()


def table_of(name: str, number: float) -> str:
    """Write a table with one column of that name and one number in it; "" as the metric."""
    out, layout = io.BytesIO(), Layout((Key(name),))
    WRITERS["csv"](out, layout.keys, [Sample("srv_1", START_MS, layout, array("d", [number]))])
    return out.getvalue().decode("utf-8")


def test_a_csv_has_a_line_per_sample_and_empty_cells_where_there_was_nothing() -> None:
    lines = list(csv.reader(io.StringIO(exported("csv").decode(), newline="")))
    assert lines == [
        ["time", CPU_COLUMN, DISK_COLUMN],
        [TIMES[0], "12.345", "4503599627370496"],
        [TIMES[1], "", "7"],
        [TIMES[2], "", "8"],
    ]


def test_each_line_of_a_jsonl_is_a_sample_with_what_it_has() -> None:
    lines = [json.loads(line) for line in exported("jsonl").splitlines()]
    assert lines == [
        {"time": TIMES[0], CPU_COLUMN: 12.345, DISK_COLUMN: 2**52},
        {"time": TIMES[1], DISK_COLUMN: 7},
        {"time": TIMES[2], DISK_COLUMN: 8},
    ]


def test_a_parquet_file_has_times_in_utc_and_nulls_where_there_was_nothing() -> None:
    table = pq.read_table(io.BytesIO(exported("parquet")))
    times = [datetime.fromisoformat(time).astimezone(UTC) for time in TIMES]
    assert table.to_pydict() == {
        "time": times,
        CPU_COLUMN: [12.345, None, None],
        DISK_COLUMN: [2.0**52, 7.0, 8.0],
    }


def test_columns_stand_as_catalogued_however_the_storage_has_them() -> None:
    keys = [Key("custom.b"), DISK, Key("custom.a"), Key("load_average", "5m"), CPU]
    ordered = in_order(keys)
    assert ordered == in_order(sorted(keys)) == in_order(reversed(keys))
    assert ordered[0] == CPU
    assert ordered[-2:] == [Key("custom.a"), Key("custom.b")]


def test_an_instance_is_in_the_name_of_its_column() -> None:
    assert (CPU_COLUMN, column_name(Key("load_average", "5m"))) == (
        "cpu_percent_total",
        "load_average{5m}",
    )


def unmarked(cell: str) -> str:
    """Take the marks before formulas away, as somebody who imports the names would."""
    return re.sub("""(^|(?<=[,;"\t\r\n]))'(?=[=+@\t\r'＝＋－＠-])""", "", cell)


@given(name=ODD, number=st.floats(-1e6, 1e6))
@example(name="=1+1", number=-5.0)
@example(name="a;=cmd|'/c calc'!A0", number=-5.5)
@example(name='a","=1', number=0.0)
@example(name="'=", number=-1.0)
def test_f86_no_cell_is_a_formula_and_names_and_numbers_come_back(name: str, number: float) -> None:
    text = table_of(name, number)
    head, row = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert [unmarked(cell) for cell in head] == ["time", name]
    assert row == [TIMES[0], row[1]]
    assert float(row[1]) == number
    for cell in (*head, *re.split('[,;"\t\n]|\r\n', text)):
        assert not FORMULA.match(cell), cell


def test_f86_a_formula_would_be_noticed() -> None:
    assert FORMULA.match("=1+1")
    assert FORMULA.match("-1+1")
    assert not FORMULA.match("-1.5")
