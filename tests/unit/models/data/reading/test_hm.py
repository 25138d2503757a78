from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv

from harness.errors import ConfigurationError
from models.data.leaks import check_no_leak
from models.data.reading.hm import CATEGORIES, _files, read_hm
from models.data.splitting import choose_split
from tests.unit.models.data.made import lists, refusal

_ARTICLES = ["0108775015", "0108775044", "0110065001", "0111565001"]
_WHO = ["ab", "cd", "ab", "ab", "ab"]
_WHAT = [108775044, 108775015, 110065001, 110065001, 108775015]


def _articles() -> pa.Table:
    columns = {name: [f"{name} {number % 2}" for number in range(4)] for name in CATEGORIES}
    columns |= {
        "article_id": _ARTICLES,
        "colour_group_code": ["9", "10", "9", "10"],
        "detail_desc": ['A "strap" top,\nin cotton', None, "Tights", "Socks"],
    }
    return pa.table(columns)


def _purchases() -> pa.Table:
    days = [date(2020, 9, day) for day in (16, 16, 16, 16, 17)]
    return pa.table({"t_dat": days, "customer_id": _WHO, "article_id": _WHAT, "price": [0.05] * 5})


def _write(folder: Path, form: Literal["parquet", "csv"]) -> None:
    if form == "parquet":
        pq.write_table(_articles(), folder / "articles.parquet")
        pq.write_table(_purchases(), folder / "transactions_last_week.parquet")
        return
    padded = _purchases().set_column(2, "article_id", [[f"{number:010}" for number in _WHAT]])
    csv.write_csv(_articles(), folder / "articles.csv")
    csv.write_csv(padded, folder / "transactions_train.csv")


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_articles_sold_and_who_bought_them(tmp_path: Path, form: Literal["parquet", "csv"]) -> None:
    _write(tmp_path, form)
    items, bought = read_hm(tmp_path)
    assert items.ids.tolist() == _ARTICLES[:3]
    assert set(items.categories) == set(CATEGORIES)
    assert items.categories["prod_name"].decode() == ["prod_name 0", "prod_name 1", "prod_name 0"]
    assert items.texts["prod_name"].tolist() == ["prod_name 0", "prod_name 1", "prod_name 0"]
    assert items.texts["detail_desc"].tolist() == ['A "strap" top,\nin cotton', "", "Tights"]
    assert lists(bought.distinct()) == [[1, 2, 0], [0]]
    assert bought.user_ids.tolist() == ["ab", "cd"]
    assert bought.left_out == {"that occur again (first in row 2)": 1}
    assert len(read_hm(tmp_path, "all")[0]) == 4


def test_the_data_mirror_is_where_no_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hm").mkdir()
    _write(tmp_path / "hm", "parquet")
    monkeypatch.setenv("BAKEOFF_DATA_MIRROR", str(tmp_path))
    assert len(read_hm()[0]) == 3
    monkeypatch.setenv("BAKEOFF_DATA_MIRROR", str(tmp_path / "hm"))
    assert len(read_hm()[0]) == 3
    monkeypatch.delenv("BAKEOFF_DATA_MIRROR")
    with pytest.raises(ConfigurationError, match="BAKEOFF_DATA_MIRROR"):
        read_hm()


def test_what_is_lacking_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_hm(tmp_path)
    assert len(refusal(caught).splitlines()) == 2
    assert f"{tmp_path}: holds none of articles.parquet, articles.csv" in refusal(caught)
    pq.write_table(_articles().drop_columns(["section_name"]), tmp_path / "articles.parquet")
    pq.write_table(_purchases(), tmp_path / "transactions.parquet")
    with pytest.raises(ConfigurationError, match="has no column 'section_name'"):
        read_hm(tmp_path)
    (tmp_path / "articles.parquet").unlink()
    csv.write_csv(_articles().drop_columns(["section_name"]), tmp_path / "articles.csv")
    with pytest.raises(
        ConfigurationError, match=r"articles\.csv: is no CSV file with the columns .*section_name"
    ):
        read_hm(tmp_path)


def test_the_real_week_has_the_articles_and_customers_known_of_it() -> None:
    try:
        _files(None)
    except ConfigurationError as error:
        pytest.skip(str(error))
    items, bought = read_hm()
    split = choose_split(bought, items)
    assert (len(items), len(bought.user_ids)) == (17_986, 68_984)
    assert (split.kind, split.ordered) == ("leave-last-out", False)
    assert (len(split.test), len(split.validation)) == (46_628, 4_000)
    check_no_leak(split, bought)
