"""The words by which people call a metric, wherever one may be said."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli.arguments import parse
from harness.cli.run import asked_scenario
from harness.data.catalogue import load_dataset, with_metric
from harness.data.metric_words import metric_named
from harness.errors import ConfigurationError
from tests.unit.data.user_data import Folder

WORDS = {
    "l2": ["l2", "L2", "euclidean", "Euclid", "L2 distance", "l2-squared"],
    "ip": ["ip", "IP", "dot", "DotProduct", "dot_product", "inner_product", "Inner Product"],
    "cosine": ["cosine", "Cosine", "COSINE", "angular", "cosine-similarity"],
}


@pytest.mark.parametrize(("metric", "word"), [(m, word) for m, words in WORDS.items() for word in words])
def test_words_mean_a_metric(metric: str, word: str) -> None:
    assert metric_named(word) == metric


@pytest.mark.parametrize("word", ["", "jaccard", "hamming", "l1", "cosines", "l22", "ip2"])
def test_other_words_mean_none(word: str) -> None:
    assert metric_named(word) is None


def test_manifest_reference_and_option_take_them(folder: Folder) -> None:
    folder.text("dataset.yaml", "metric: Inner Product\n")
    assert folder.load().metric == "ip"
    assert folder.load(":metric=COSINE").metric == "cosine"
    folder.text("dataset.yaml", "")
    assert load_dataset(with_metric(str(folder.path), "cosine"), cache=folder.cache).metric == "cosine"
    assert load_dataset("synthetic:rows=20,queries=5,dim=4,metric=Dot", cache=folder.cache).metric == "ip"
    folder.text("dataset.yaml", "metric: jaccard\n")
    with pytest.raises(ConfigurationError, match=r"metric must be l2 \(euclidean\), ip .*, got 'jaccard'"):
        folder.load()


def test_the_option_is_part_of_the_reference(tmp_path: Path) -> None:
    options = parse(["run", "smoke", "--dataset", "mine:name=x", "--metric", "Euclidean"])
    assert asked_scenario(options).dataset == "mine:name=x,metric=l2"
    assert parse(["data", "describe", "mine", "--metric", "Angular"]).metric == "cosine"
    assert with_metric("mine", "ip") == "mine:metric=ip"
    with pytest.raises(ConfigurationError, match=r"--metric: must be l2 .* got 'jaccard'"):
        parse(["run", "smoke", "--metric", "jaccard"])
    with pytest.raises(
        ConfigurationError, match="--metric is ip, but dataset 'mine:metric=l2' names one itself"
    ):
        with_metric("mine:metric=l2", "ip")
