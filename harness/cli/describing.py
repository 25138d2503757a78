"""`bakeoff data describe` of what `bakeoff train` reads: items and interactions, alone or by a configuration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from harness.errors import BakeoffError, ConfigurationError
from harness.progress import silent
from harness.scenario.strict import StrictModel, validated

if TYPE_CHECKING:
    from models.data.reading.options import InteractionOptions, ItemOptions
    from models.data.split import Split
    from models.training.config import SplitOptions
    from models.training.loading import Loaded

Options = TypeVar("Options", bound=StrictModel)
_ITEMS = "items"  # the key of a file's reference that names the catalogue of its interactions


def described(ref: str) -> str | None:
    """What files of items or interactions hold, and how they are read; None where `ref` is no such file.

    ref: a Parquet file without a column of vectors, options after a colon as in `items.parquet:id=sku`; or a
    configuration of `bakeoff train`. Raises ConfigurationError with every problem.
    """
    from harness.data.catalogue import split_reference

    name, changes = split_reference(ref)
    path = Path(name).expanduser()
    if not path.is_file():
        return None
    if path.suffix in (".yaml", ".yml"):
        return _configured(path) if _is_configuration(path) else None
    if path.suffix != ".parquet" or _holds_vectors(path):
        return None
    return _one(path, ref, changes)


def _is_configuration(path: Path) -> bool:
    from harness.scenario.strict import read_yaml

    return isinstance(read_yaml(path, "name and data").get("data"), dict)


def _holds_vectors(path: Path) -> bool:
    from harness.data.user.tables.parquet_files import open_parquet
    from harness.data.user.vectors.parquet_columns import vector_columns

    with open_parquet(path) as file:
        return bool(vector_columns(file, path))


def _one(path: Path, ref: str, changes: Mapping[str, Any]) -> str:
    from models.data.reading.options import InteractionOptions, ItemOptions
    from models.data.reading.table import parquet_table

    table = parquet_table(path)
    own = set(InteractionOptions.model_fields) - set(ItemOptions.model_fields) | {_ITEMS}
    defaults = InteractionOptions()
    if not own & set(changes) and not {defaults.user, defaults.item} <= set(table.names):
        return _items(path, _read_options(ItemOptions, changes, ref))
    given = {key: value for key, value in changes.items() if key != _ITEMS}
    catalogue = Path(str(changes[_ITEMS])) if _ITEMS in changes else None
    return _interactions(path, _read_options(InteractionOptions, given, ref), catalogue)


def _read_options(kind: type[Options], changes: Mapping[str, Any], ref: str) -> Options:
    return validated(kind, dict(changes), ref)


def _items(path: Path, options: ItemOptions) -> str:
    from models.data.describing.items import describe_items
    from models.data.reading.item_file import read_items
    from models.data.reading.table import parquet_table

    return describe_items(parquet_table(path), read_items(path, options), options)


def _interactions(path: Path, options: InteractionOptions, catalogue: Path | None) -> str:
    from models.data.describing.interactions import describe_interactions, items_of_interactions
    from models.data.reading.interaction_file import read_interactions
    from models.data.reading.item_file import read_items
    from models.data.reading.table import parquet_table
    from models.training.config import SplitOptions
    from models.training.loading import Loaded

    table = parquet_table(path)
    items = items_of_interactions(table, options) if catalogue is None else read_items(catalogue)
    interactions = read_interactions(path, items, options)
    split = _split(Loaded(items, interactions, source=str(path)), SplitOptions(), seed=0)
    text = describe_interactions(table, interactions, items, options, split)
    if catalogue is not None:
        return text
    return f"{text}\nwhich of its items are unknown is not seen without the catalogue: {path}:{_ITEMS}=FILE"


def _configured(path: Path) -> str:
    """Both files of a configuration, read as it says."""
    from models.data.describing.interactions import describe_interactions
    from models.data.describing.items import describe_items
    from models.data.reading.table import parquet_table
    from models.training.config import Files, load_config
    from models.training.loading import load

    config = load_config(path)
    if not isinstance(config.data, Files):
        raise ConfigurationError(
            f"{path}: data.kind is {config.data.kind}; only files of your own (data.kind: files) can be described"
        )
    loaded = load(config, path.parent, silent)
    items, interactions = (
        parquet_table(path.parent / name) for name in (config.data.items, config.data.interactions)
    )
    split = _split(loaded, config.split, config.training.seed)
    return "\n\n".join(
        (
            describe_items(items, loaded.items, config.items),
            describe_interactions(
                interactions, loaded.interactions, loaded.items, config.interactions, split
            ),
        )
    )


def _split(loaded: Loaded, options: SplitOptions, seed: int) -> Split | str:
    """The cases that would be held back, or why there can be none."""
    from models.training.loading import split

    try:
        return split(loaded, options, seed)
    except BakeoffError as error:
        return str(error)
