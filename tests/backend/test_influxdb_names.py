"""Names of any kind survive the engine, and the URL of the storage gives nothing away."""

from __future__ import annotations

from array import array
from pathlib import Path
from typing import Any

import pytest
from hostpulse.report import Key, Layout, Sample
from hostpulse.storage import Batch, Options, StorageError, Wanted, Window, open_storage
from hostpulse.storage.influxdb import names
from hostpulse.storage.influxdb.address import Address, read_address
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

NOW_MS = 1_795_423_385_000
CPU = Key("cpu_percent_total")
ODD = [
    "a,b", "a b", "a=b", "a\\", "\\", "\\\\,", "a\\ ", '"', "'", "''; DROP DATABASE x --", "%",
    "%2c", "%%b", "#", " ", "\n", "a\nb,c=d e=1 2", "\r\n", "\t", "\0", "\x7f", "é", "日本", "😀",
    "\ud800", "\u2028", "\ufffd", "../..", "time", "name", "_", "A", "a", "server=x", "$1", "/x/",
]  # fmt: skip
LONG = ["x" * 4096, "\n" * 4096, "😀" * 4096, " ," * 2048, "\\" * 4096]
anything = st.one_of(
    st.sampled_from(ODD),
    st.text(max_size=40),
    st.text(alphabet=", =\\\"'\n%#\t\0a", max_size=12),
    st.text(st.characters(), max_size=10),  # lone surrogates, too
)


@given(text=anything)
@example(text="x" * 65536)
def test_f95_a_name_comes_back_and_has_nothing_that_ends_a_name(text: str) -> None:
    encoded = names.encode(text)
    assert names.decode(encoded) == text
    assert not set(encoded) & set("\"'\\\n\r\0")
    encoded.encode()  # no surrogate is left


@given(one=anything, other=anything)
@example(one="a", other="A")
@example(one="_61", other="a")
@example(one="y" * 300, other="y" * 301)
def test_each_tenant_has_a_database_of_its_own_and_a_plain_folder_name(
    one: str, other: str
) -> None:
    assert (names.database("p", one) == names.database("p", other)) is (one == other)
    assert set(names.database("p", one)) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_")
    assert len(names.database("p", one)) < 130


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(server=anything, instance=anything, metric=anything, value=st.floats(-1e300, 1e300))
@example(server=LONG[0], instance=LONG[1], metric="m", value=0.1)
@example(server=LONG[2], instance=LONG[2], metric="m", value=-0.0)
@example(server=LONG[3], instance="", metric=LONG[4], value=5e-324)
@example(server="", instance="", metric="", value=2.0**63)
def test_f95_the_engine_gives_back_what_it_got_whatever_the_names(
    odd_store: Any, server: str, instance: str, metric: str, value: float
) -> None:
    key = Key(f"custom.{metric}", instance)
    layout = Layout((CPU, key))
    odd_store.append([Batch("t", [Sample(server, NOW_MS, layout, array("d", [1.0, value]))])])
    assert odd_store.lost().refused_points == 0
    (found,) = odd_store.samples("t", server, NOW_MS, NOW_MS + 1)
    assert dict(found.items()) == {CPU: 1.0, key: value}
    assert odd_store.series("t", server) == sorted([CPU, key])
    for name in (None, instance):
        wanted = Wanted((key.metric,), name)
        history = odd_store.history("t", server, wanted, Window(NOW_MS, NOW_MS + 1))
        assert [(one.key, one.points.last) for one in history.series] == [(key, [value])]
        folded = Window(NOW_MS, NOW_MS + 1, bucket_ms=1000)
        history = odd_store.history("t", server, wanted, folded)
        assert [(one.key, one.points.last) for one in history.series] == [(key, [value])]
    odd_store.forget("t", server)
    assert odd_store.series("t", server) == []


@pytest.fixture(scope="module")
def odd_store(influxdb: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    options = Options(lambda: NOW_MS, tmp_path_factory.mktemp("odd"))
    return open_storage(influxdb.url("odd"), options)


@pytest.mark.parametrize("tenant", [*ODD, *LONG])
def test_a_tenant_may_have_any_name(influxdb: Any, tmp_path: Path, tenant: str) -> None:
    url = influxdb.url("tenant")
    storage = open_storage(url, Options(lambda: NOW_MS, tmp_path))
    sample = Sample("srv_1", NOW_MS, Layout((CPU,)), array("d", [1.0]))
    storage.append([Batch(tenant, [sample])])
    assert len(list(storage.samples(tenant, "srv_1", 0, 2**53))) == 1
    assert list(storage.usage().servers) == [(tenant, "srv_1")]
    storage.close()


def test_a_url_says_where_who_and_which_prefix() -> None:
    url = "influxdb://user:p%40s%2Fs@db.example.com:8087/mine?tls=on"
    assert read_address(url) == Address("db.example.com", 8087, True, "user", "p@s/s", "mine")
    assert read_address("influxdb://db") == Address("db", 8086, False, "", "", "hostpulse")
    assert "p@s" not in repr(read_address(url))


@pytest.mark.parametrize(
    "url",
    [
        "influxdb://",
        "influxdb:///mine",
        "influxdb://user:s3cret@:8086/mine",
        "influxdb://user:s3cret/x@db:8086/mine",
        "influxdb://user:12/s3cret@db:8086/mine",
        "influxdb://user:s3cret?x@db:8086/mine",
        "influxdb://user:12?s3cret@db:8086/mine",
        "influxdb://user:12#s3cret@db:8086/mine",
        "influxdb://user:x@db:s3cret/mine",
        "influxdb://user:x@db:70000/mine",
        "influxdb://user:s3cret@db/a_b",
        "influxdb://user:s3cret@db/a/b",
        "influxdb://user:s3cret@db/mine?tls=maybe",
        "influxdb://user:s3cret@db/mine?s3cret=1",
        "influxdb://user:s3cret@[db/mine",
    ],
)
def test_a_url_that_is_not_understood_is_refused_without_its_password(
    url: str, tmp_path: Path
) -> None:
    with pytest.raises(StorageError, match=r"storage: .*influxdb://user:password@") as refusal:
        open_storage(url, Options(lambda: NOW_MS, tmp_path))
    assert "s3cret" not in str(refusal.value)
    assert refusal.value.__cause__ is None
