"""Parquet files: each number as it was, small, and readable by anybody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import nan
from pathlib import Path
from random import Random

import duckdb
import numpy as np
import pandas as pd
import pytest
from hostpulse import catalogue
from hostpulse.report import Key
from hostpulse.storage.file import parquet
from hostpulse.storage.file.parquet import Damaged, Reader, column_name, content
from hostpulse.storage.file.places import Owner
from hostpulse.storage.grid import Grid, folded, merged
from hostpulse.storage.series import Columns, fold, fold_points, runs
from hypothesis import given
from hypothesis import strategies as st

OWNER = Owner("default", "srv_1")
KEYS = (
    Key("cpu_percent_total"), Key("memory_used"), Key("bytes_sent", 'eth"0\n'),
    Key("custom.a{b\\", "x}"), Key("custom.a"), Key("custom.a.mean"), Key("not_in_the_catalogue"),
)  # fmt: skip
NUMBERS = st.one_of(
    st.just(nan),
    st.integers(0, 2**63).map(float),
    st.integers(0, 10**6).map(lambda n: n / 1000),
    st.floats(-(2.0**63), 2.0**63).map(lambda n: n + 0.0),  # no decimal is -0.0
)
DOCS = Path(__file__).parents[2] / "docs" / "storage-file.md"


def grid(values: list[list[float]], step_ms: int = 1000) -> Grid:
    numbers = np.array(values, np.float64).reshape(1, len(values), -1)
    times = np.arange(len(values), dtype=np.int64) * step_ms
    return Grid(times, KEYS[: numbers.shape[2]], numbers)


def again(written: Grid, folder: Path) -> Grid:
    file = folder / "some.parquet"
    file.write_bytes(content(written, OWNER))
    with Reader(file) as reader:
        assert reader.owner == OWNER
        return reader.read()


def present(of: Grid) -> dict[Key, list[list[float]]]:
    """Return the planes of each key that has a value."""
    known = (i for i in range(len(of.keys)) if not np.isnan(of.planes[0, :, i]).all())
    return {of.keys[i]: of.planes[:, :, i].tolist() for i in known}


ROWS = st.lists(st.lists(NUMBERS, min_size=7, max_size=7), min_size=1, max_size=8)


TOTAL, ETH0, ETH1 = (Key("bytes_sent_per_sec", name) for name in ("", "eth0", "eth1"))


@pytest.mark.parametrize("is_folded", [False, True])
def test_a_total_that_equals_its_only_part_is_read_and_takes_no_room(
    tmp_path: Path, is_folded: bool
) -> None:
    numbers = np.array([[[5.0, 5.0], [nan, nan], [7.25, 7.25]]])
    times = np.arange(3, dtype=np.int64) * 60_000
    alone = Grid(times, (TOTAL, ETH0), numbers)
    alone = folded(alone, 60_000) if is_folded else alone
    found = again(alone, tmp_path)
    assert set(found.keys) == {TOTAL, ETH0}
    np.testing.assert_equal(present(found), present(alone))
    assert column_name(TOTAL) not in pd.read_parquet(tmp_path / "some.parquet").columns
    with Reader(tmp_path / "some.parquet") as reader:
        np.testing.assert_equal(reader.read([TOTAL]).planes, reader.read([ETH0]).planes)


def test_a_total_that_differs_from_its_parts_has_a_column(tmp_path: Path) -> None:
    numbers = np.array([[[5.0, 5.0, 0.0], [7.0, 6.0, 1.0]]])
    shared = Grid(np.arange(2, dtype=np.int64), (TOTAL, ETH0, ETH1), numbers)
    np.testing.assert_equal(present(again(shared, tmp_path)), present(shared))
    assert column_name(TOTAL) in pd.read_parquet(tmp_path / "some.parquet").columns


@given(values=ROWS)
def test_every_number_is_read_as_it_was_written(
    values: list[list[float]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    written = grid(values)
    found = again(written, tmp_path_factory.mktemp("grid"))
    assert found.times.tolist() == written.times.tolist()
    np.testing.assert_equal(present(found), present(written))


@given(values=ROWS)
def test_points_are_read_as_they_were_folded_but_for_the_mean_s_fourth_decimal(
    values: list[list[float]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    points = folded(grid(values), 3000)
    found, wanted = present(again(points, tmp_path_factory.mktemp("grid"))), present(points)
    assert set(found) == set(wanted)
    for key, planes in wanted.items():
        np.testing.assert_equal(found[key][1:], planes[1:])
        near = 0 if key.metric not in catalogue.BY_NAME else 0.000_51
        np.testing.assert_allclose(found[key][0], planes[0], rtol=1e-15, atol=near)


MODEST = st.one_of(st.just(nan), st.integers(-(10**9), 10**9).map(lambda n: n / 1000))


@given(values=st.lists(st.lists(MODEST, min_size=2, max_size=2), min_size=1, max_size=40))
def test_folding_all_keys_at_once_is_what_folding_each_is(values: list[list[float]]) -> None:
    samples = grid(values)
    edges = [*range(0, len(values), 4), len(values)]
    minutes = folded(samples, 4000)
    hours = folded(minutes, 8000)
    wide = [*range(0, len(minutes.times), 2), len(minutes.times)]
    for i in range(2):
        pure = fold([row[i] for row in values], runs(edges))
        check_same(minutes, i, pure)
        check_same(hours, i, fold_points(pure, wide))


def check_same(points: Grid, key: int, pure: Columns) -> None:
    mean, *others = (getattr(pure, name) for name in ("mean", "min", "max", "last", "count"))
    np.testing.assert_allclose(points.planes[0, :, key], mean, rtol=1e-9, atol=1e-6)
    np.testing.assert_equal(points.planes[1:, :, key].tolist(), others)


def test_of_two_grids_each_time_is_kept_once_and_the_first_wins() -> None:
    one, two = grid([[1.0], [2.0]], 2000), grid([[7.0], [8.0], [9.0]])
    assert merged([one, two]).times.tolist() == [0, 1000, 2000]
    assert merged([one, two]).planes[0, :, 0].tolist() == [1.0, 8.0, 2.0]


@given(metric=st.text(min_size=1), instance=st.text())
def test_the_name_of_a_column_says_its_key(metric: str, instance: str) -> None:
    name = column_name(Key(metric, instance))
    found = re.fullmatch(r"((?:\\.|[^\\{])*)(?:\{(.*)\})?", name, re.DOTALL)
    assert found is not None
    assert re.sub(r"\\(.)", r"\1", found[1], flags=re.DOTALL) == metric
    assert (found[2] or "") == instance


def some_content(is_folded: bool) -> bytes:
    samples = grid([[i / 10, i * 1e6, 7.0, i / 3] for i in range(40)], 60_000)
    return bytes(content(folded(samples, 60_000) if is_folded else samples, OWNER))


def read_flipped(whole: bytes, file: Path) -> Iterator[tuple[Owner, Grid] | None]:
    """Yield what is read with a bit of each byte flipped, None where that is called damaged."""
    for at in range(len(whole)):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :])
        try:
            with Reader(file) as reader:
                yield reader.owner, reader.read()
        except Damaged:
            yield None


def is_same(found: tuple[Owner, Grid], written: Grid) -> bool:
    owner, read = found
    return (
        owner == OWNER
        and read.times.tolist() == written.times.tolist()
        and read.keys == written.keys
        and np.array_equal(read.planes, written.planes, equal_nan=True)
    )


@pytest.mark.parametrize("is_folded", [False, True])
def test_a_flipped_bit_is_noticed_or_changes_nothing(tmp_path: Path, is_folded: bool) -> None:
    file = tmp_path / "some.parquet"
    whole = some_content(is_folded)
    file.write_bytes(whole)
    with Reader(file) as reader:
        written = reader.read()
    found = list(read_flipped(whole, file))
    assert found.count(None) > len(whole) * 3 // 4
    assert all(is_same(one, written) for one in found if one)


@pytest.mark.parametrize("is_folded", [False, True])
def test_a_file_from_before_checksums_is_read_and_its_damage_causes_no_other_error(
    tmp_path: Path, is_folded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        writer = parquet.pq.ParquetWriter
        before.setattr(
            parquet.pq,
            "ParquetWriter",
            lambda *a, **more: writer(*a, **more | {"write_page_checksum": False}),
        )
        before.setattr(parquet, "_marked", memoryview)
        old = some_content(is_folded)
    file = tmp_path / "some.parquet"
    file.write_bytes(some_content(is_folded))
    with Reader(file) as reader:
        written = reader.read()
    file.write_bytes(old)
    with Reader(file) as reader:
        assert is_same((reader.owner, reader.read()), written)
    found = list(read_flipped(old, file))
    assert found.count(None) > 100
    assert not all(is_same(one, written) for one in found if one)  # what checksums are for


def day() -> Grid:
    """Make a day of a server: shares, counters and their rates, and what seldom changes."""
    chance, count = Random(42), 17_280
    walks = {
        Key("cpu_percent_total"): [round(chance.uniform(0, 30), 1) for _ in range(count)],
        Key("memory_used"): np.cumsum([chance.randrange(-(10**6), 10**6) for _ in range(count)])
        + 5 * 2**30,
        Key("bytes_sent", "eth0"): np.cumsum([chance.randrange(300_000) for _ in range(count)]),
        Key("bytes_sent_per_sec", "eth0"): [round(chance.gauss(3e5, 1e4), 1) for _ in range(count)],
        Key("memory_total"): [16 * 2**30] * count,
        Key("disk_percent", "/"): [40.1] * count,
    }
    times = 1_795_392_000_000 + 5000 * np.arange(count, dtype=np.int64)
    values = np.array([list(map(float, walk)) for walk in walks.values()]).T
    return Grid(times, tuple(walks), values[np.newaxis])


def test_a_sealed_day_is_small(capsys: pytest.CaptureFixture[str]) -> None:
    samples = day()
    values = samples.planes.size
    raw = len(content(samples, OWNER)) / values
    minutes = len(content(folded(samples, 60_000), OWNER)) / values
    with capsys.disabled():
        print(f"\nbytes per raw value: samples {raw:.2f}, points of a minute {minutes:.2f}")
    assert raw < 2.0  # four of these six are noise; of a server's own numbers most are not
    assert minutes < 1.0


READERS = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("number", range(2))
def test_a_day_is_read_by_the_two_lines_of_the_docs(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = day()
    folder = tmp_path / "tenants/0123456789abcdef0123/srv_1/raw"
    folder.mkdir(parents=True)
    (folder / "2026-11-23.parquet").write_bytes(content(samples, OWNER))
    monkeypatch.chdir(tmp_path)
    lines = [line for line in READERS[number].splitlines() if line]
    assert len(lines) == 2
    names: dict[str, object] = {}
    exec("\n".join(lines), names)
    frame = names["day"]
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.columns[:2]) == ["time", "cpu_percent_total"]
    assert frame["cpu_percent_total"].astype(float).tolist() == samples.planes[0, :, 0].tolist()
    assert frame["time"].iloc[0].isoformat() == "2026-11-23T00:00:00+00:00" or number == 1
    assert duckdb.__version__
