"""The SQL of a collection: its table, its indexes and its queries."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from psycopg.sql import quote

from engines.base import FieldKind, Metric, Schema, UnsupportedError
from engines.pgvector.binary import copy_columns
from engines.pgvector.filters import Condition
from engines.pgvector.params import IndexParams
from engines.server.ownership import MARK
from engines.values.contents import contents

_PREFIX = f"{MARK}: "  # of the comment on a table that is ours
OURS = f"r{_PREFIX}"  # how what `standing` finds begins, for such a table
MAX_BTREE_BYTES = 2600  # PostgreSQL refuses entries over 2704, its own bytes included
_MAX_COLUMN_DIM = 16_000
_MAX_INDEX_DIM = {"none": 2000, "halfvec": 4000, "binary": 64_000}
_TYPES: dict[FieldKind, str] = {
    "keyword": 'text collate "C"',  # bytes are compared, whatever the server's language
    "tags": 'text[] collate "C"',
    "integer": "bigint",
    "float": "double precision",
    "boolean": "boolean",
}
_OPERATORS: dict[Metric, str] = {"l2": "<->", "ip": "<#>", "cosine": "<=>"}


@dataclass(frozen=True, slots=True)
class Table:
    """The names and statements of one collection."""

    name: str
    schema: Schema
    params: IndexParams

    def check(self) -> None:
        """Raises UnsupportedError where the vectors are longer than the column or the index can hold."""
        dim, params = self.schema.dim, self.params
        if dim > _MAX_COLUMN_DIM:
            raise UnsupportedError(f"pgvector holds vectors of up to {_MAX_COLUMN_DIM} dimensions, not {dim}")
        limit = _MAX_INDEX_DIM[params.quantization]
        if params.index_type != "none" and dim > limit:
            wider = next((name for name, most in _MAX_INDEX_DIM.items() if most >= dim), None)
            raise UnsupportedError(
                f"pgvector: an index of {params.index_type} with quantization: {params.quantization} holds up to "
                f"{limit} dimensions, not {dim}; set quantization: {wider} or index_type: none"
            )

    def creation(self) -> str:
        """Vectors stay in the row up to what fits into a page (8160 bytes), longer ones are moved out uncompressed:
        by PostgreSQL's default those over 2 kB are, and each comparison has to fetch its vector by another index.
        """
        aliases = self.schema.aliases
        fields = "".join(
            f", {aliases[field.name]} {_TYPES[field.kind]}{'' if field.can_lack else ' not null'}"
            for field in self.schema.fields
        )
        columns = f"id bigint primary key, embedding vector({self.schema.dim}) not null{fields}"
        return f"create table {self.name} ({columns}) with (toast_tuple_target = 8160)"

    def standing(self) -> str:
        """Asks what has the table's name: its kind (r: a table) and comment; no row if nothing has."""
        return (
            "select relkind::text || coalesce(obj_description(oid, 'pg_class'), '') from pg_class "
            f"where oid = to_regclass('{self.name}')"
        )

    def note(self) -> str:
        """The statement that writes the table's comment: whose it is, and what it holds. It is a string literal, for
        no parameter can stand there.
        """
        return f"comment on table {self.name} is {quote(_PREFIX + contents(self.schema, self.params))}"

    def copy(self) -> str:
        return f"copy {self.name} ({', '.join(copy_columns(self.schema))}) from stdin (format binary)"

    def deletion(self) -> str:
        """Deletes the ids in the array $1."""
        return f"delete from {self.name} where id = any($1)"

    def existing_indexes(self) -> str:
        return f"select indexrelid::regclass::text from pg_index where indrelid = '{self.name}'::regclass"

    def longest(self) -> dict[str, str]:
        """Column -> question for the bytes of its longest text, of every column that holds texts."""
        questions = {}
        for field in self.schema.fields:
            column, rows = self.schema.aliases[field.name], self.name
            if field.kind == "tags":
                column, rows = "word", f"{self.name}, unnest({column}) as word"
            if field.kind in ("keyword", "tags"):
                most = f"select coalesce(max(octet_length({column})), 0)::bigint from {rows}"
                questions[self.schema.aliases[field.name]] = most
        return questions

    def method(self, column: str) -> str:
        """Asks how a column is indexed; no row if it is not."""
        return (
            "select amname::text from pg_class join pg_am on pg_am.oid = relam "
            f"where pg_class.oid = to_regclass('{self.index_name(column)}')"
        )

    def index_name(self, column: str) -> str:
        return f"{self.name}_{column}"

    def indexes(self, long: set[str]) -> dict[str, str]:
        """Name -> statement of every index besides the primary key. long: columns with texts that do not fit into
        a B-tree and are hashed instead; of tags there is no index then.
        """
        statements = {}
        for field in self.schema.fields:
            column = self.schema.aliases[field.name]
            if field.kind == "tags" and column in long:
                continue
            method = "gin" if field.kind == "tags" else "hash" if column in long else "btree"
            name = self.index_name(column)
            statements[name] = f"create index {name} on {self.name} using {method} ({column})"
        if self.params.index_type != "none":
            name = self.index_name("embedding")
            options = ", ".join(f"{option} = {value}" for option, value in self.params.build.items())
            operators = {"none": "vector", "halfvec": "halfvec"}.get(self.params.quantization)
            family = f"{operators}_{self.schema.metric}_ops" if operators else "bit_hamming_ops"
            statements[name] = (
                f"create index {name} on {self.name} using {self.params.index_type} "
                f"(({self._indexed('embedding')}) {family}) with ({options})"
            )
        return statements

    def _indexed(self, vector: str) -> str:
        """A vector in the form in which it is indexed."""
        dim = self.schema.dim
        quantized = {
            "halfvec": f"{vector}::halfvec({dim})",
            "binary": f"binary_quantize({vector})::bit({dim})",
        }
        return quantized.get(self.params.quantization, vector)

    def search(self, k: int, where: Condition, *, exact: bool, oversampling: float) -> str:
        """The nearest k as (id, distance); parameter $1 is the query's vector.

        The limit, an int, is part of the text: a plan that is kept would take a parameter for a tenth of all rows.
        """
        condition = where.sql.format(*[f"${number}" for number in range(2, len(where.values) + 2)])
        rows = f"from {self.name}" if condition == "true" else f"from {self.name} where {condition}"
        distance = f"embedding {_OPERATORS[self.schema.metric]} $1::vector"
        if exact or self.params.index_type == "none":
            return f"select id, {self._unindexed(distance)} {rows} order by 2 limit {k:d}"
        if self.params.quantization == "none":
            return f"select id, {distance} {rows} order by 2 limit {k:d}"
        operator = "<~>" if self.params.quantization == "binary" else _OPERATORS[self.schema.metric]
        nearest = f"{self._indexed('embedding')} {operator} {self._indexed('$1::vector')}"
        candidates = f"select id, embedding {rows} order by {nearest} limit {ceil(k * oversampling):d}"
        return f"select id, {distance} from ({candidates}) as candidates order by 2 limit {k:d}"

    def _unindexed(self, distance: str) -> str:
        """A distance by which no index is ordered, so that all rows are compared.

        pgvector's cosine distance from or to a zero vector is NaN, which PostgreSQL sorts last; ours is 1.
        """
        return (
            f"coalesce(nullif({distance}, 'NaN'), 1)"
            if self.schema.metric == "cosine"
            else f"({distance}) + 0"
        )
