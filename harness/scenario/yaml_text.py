"""YAML text as plain values; repeated keys, deep nesting and huge documents (also by aliases) are refused."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import yaml

from engines.values.shown import is_unicode, shown

_MOST_VALUES = 100_000  # with aliases written out
_DEEPEST = 100
_LARGEST_INTEGER = 10**400


class YamlTextError(Exception):
    """A text that is no YAML, or none that is accepted; the message says where and why."""


class _Loader(yaml.SafeLoader):
    """Refuses what YAML silently takes for something else: a key that occurs twice (the last counts), 010 (which is 8)
    and 1:30 (which is 90).
    """

    def construct_number(self, node: yaml.ScalarNode) -> float:
        text = node.value
        if ":" in text or re.fullmatch(r"[-+]?0[0-9_]+", text):
            problem = f"{text} would be another number in YAML; write it without leading zeros and colons, or in quotes"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
        read = self.construct_yaml_int if node.tag.endswith(":int") else self.construct_yaml_float
        number: float = read(node)
        return number

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"key '{key.value}' occurs twice, remove one", problem_mark=key.start_mark
                )
            seen.add(key.value)
        return node


for _kind in ("int", "float"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_kind}", _Loader.construct_number)


def parse_yaml(text: str) -> Any:
    """The document in `text`: None, booleans, finite numbers, texts, lists and dicts. Raises YamlTextError."""
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _Size().of(node)
        data = loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        raise YamlTextError(f"is not YAML: {_place(error.problem_mark)}{error.problem}") from error
    except yaml.YAMLError as error:
        raise YamlTextError(f"is not YAML: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise YamlTextError(f"is nested more than {_DEEPEST} levels deep") from error
    except (
        ValueError,
        ArithmeticError,
        LookupError,
        AttributeError,
    ) as error:  # PyYAML's own, of tagged values
        raise YamlTextError(f"holds a value that cannot be read ({shown(str(error))})") from error
    problems = list(_refused(data, ""))
    if problems:
        raise YamlTextError(problems[0])
    return data


class _Size:
    """How many values a document holds with its aliases written out, before any of them is."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[int, int]] = {}
        self._open: set[int] = set()

    def of(self, node: yaml.Node) -> tuple[int, int]:
        """Values and levels below a node. Raises YamlTextError."""
        if id(node) in self._open:
            raise YamlTextError(f"{_place(node.start_mark)}an alias stands for a value that contains it")
        if id(node) in self._known:
            return self._known[id(node)]
        self._open.add(id(node))
        inner = [self.of(child) for child in _children(node)]
        self._open.discard(id(node))
        values = 1 + sum(values for values, _ in inner)
        levels = 1 + max((levels for _, levels in inner), default=0)
        if values > _MOST_VALUES:
            raise YamlTextError(
                f"{_place(node.start_mark)}holds more than {_MOST_VALUES:,} values once its aliases are written out"
            )
        if levels > _DEEPEST:
            raise YamlTextError(f"{_place(node.start_mark)}is nested more than {_DEEPEST} levels deep")
        self._known[id(node)] = values, levels
        return values, levels


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        yield from node.value
    elif isinstance(node, yaml.MappingNode):
        for pair in node.value:
            yield from pair


def _place(mark: yaml.Mark | None) -> str:
    return f"line {mark.line + 1} column {mark.column + 1}: " if mark else ""


def _refused(value: Any, key: str) -> Iterator[str]:  # noqa: PLR0912 - one branch a kind of value
    at = f"{key}: " if key else ""
    if isinstance(value, dict):
        for name, inner in value.items():
            if not isinstance(name, str):
                yield f"{at}key {shown(name)} must be text; put it in quotes"
            elif not is_unicode(name):
                yield f"{at}key {shown(name)} is no valid Unicode, it holds half of a character"
            else:
                yield from _refused(inner, f"{key}.{name}" if key else name)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _refused(inner, f"{key}[{number}]")
    elif isinstance(value, str):
        if not is_unicode(value):
            yield f"{at}{shown(value)} is no valid Unicode, it holds half of a character; write it in full"
    elif isinstance(value, float):
        if not math.isfinite(value):
            yield f"{at}must be a finite number, got {value}"
    elif isinstance(value, int):
        if abs(value) > _LARGEST_INTEGER:
            yield f"{at}must be a number that can be used, got one of more than 400 digits"
    elif value is not None:
        yield f"{at}{shown(value)} is a {type(value).__name__} in YAML; put it in quotes to make it text"
