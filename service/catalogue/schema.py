"""What the catalogue's listings consist of, and documents checked against it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from engines.base import Field, Schema
from engines.columns import Value
from engines.meant import meant
from engines.values.filter_syntax import RESERVED
from engines.values.shown import shown
from harness.errors import ConfigurationError
from service.catalogue.checks import LONGEST_DETAIL, LONGEST_KEYWORD, read_vector, text_problem, value_problem
from service.catalogue.listing import Attribute, Fields

VECTOR = "vector"
_HINTS = 50  # unknown names of a document for which a similar one is looked for, which takes long
_OURS = ("id", "version", VECTOR, *RESERVED)  # words of the API and of the filter language


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field of a document, and what it must be."""

    field: str
    detail: str

    def __str__(self) -> str:
        return f"{self.field}: {self.detail}"


class InvalidDocumentError(ValueError):
    """A document does not fit the catalogue; `problems` names all that is wrong with it."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("; ".join(map(str, problems)))


@dataclass(frozen=True, slots=True)
class CatalogueSchema:
    """The fields of a listing. A document is flat: a value by the name of each, and `vector`.

    engine: the filterable fields, and what the vectors of listings are; its `model` is the label of the model that
    encodes. fill: what stands in for a field that a document leaves out; without it a listing has no value there,
    where the field is optional, and the document is refused where it is not; of tags it is the only one. details:
    what is shown, as text; `required` of them must be there, `texts` are searched. seller, brand: the keyword field
    or the detail that names them. listed_at: the integer field that says when a listing was listed, in ms since 1970;
    None, or no value: when it was first stored. longest_keyword: in characters of a keyword or a tag. picture: the
    keyword field or the detail that holds the address of a picture. Raises ConfigurationError, with all that does not
    fit together.
    """

    engine: Schema
    fill: Mapping[str, Value] = field(default_factory=dict)
    details: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    seller: str | None = None
    brand: str | None = None
    listed_at: str | None = None
    longest_keyword: int = LONGEST_KEYWORD
    picture: str | None = None

    def __post_init__(self) -> None:
        problems = list(self._contradictions())
        if problems:
            raise ConfigurationError([f"catalogue: {problem}" for problem in problems])

    def _contradictions(self) -> Iterator[str]:
        names = [*(field.name for field in self.engine.fields), *self.details]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f"'{name}' is named twice, as field or detail; rename one"
        for name in sorted(set(names) & set(_OURS)):
            yield f"no field or detail can be called '{name}'; rename it"
        for key in ("required", "texts"):
            for name in getattr(self, key):
                if name not in self.details:
                    yield f"{key}: '{name}' is no detail (there are: {', '.join(self.details) or 'none'})"
        words = {field.name for field in self.engine.fields if field.kind == "keyword"} | set(self.details)
        for key in ("seller", "brand", "picture"):
            if (name := getattr(self, key)) is not None and name not in words:
                yield f"{key}: '{name}' is neither a keyword field nor a detail"
        if self.listed_at is not None:
            found = self.engine.field(self.listed_at)
            if found is None or found.kind != "integer":
                yield f"listed_at: '{self.listed_at}' is no integer field"
        for name, value in self.fill.items():
            problem = self._fill_problem(name, value)
            if problem:
                yield f"fill: '{name}' {problem}"

    def _fill_problem(self, name: str, value: Value) -> str:
        known = self.engine.field(name)
        return (
            "is no field"
            if known is None
            else value_problem(known, _fill(known, value), self.longest_keyword)
        )

    @property
    def blank(self) -> dict[str, Attribute]:
        """What a listing has in the fields that its document leaves out."""
        return {
            known.name: _stored(known, _fill(known, self.fill.get(known.name)))
            for known in self.engine.fields
            if known.name in self.fill or known.can_lack
        }

    @property
    def required_fields(self) -> list[str]:
        """The fields that a document must not leave out."""
        return [f.name for f in self.engine.fields if not f.can_lack and f.name not in self.fill]

    def read(self, document: object, *, partial: bool = False) -> Fields:
        """What a document says, JSON's values as they are. partial: a patch, of which anything may be left out.

        Raises InvalidDocumentError.
        """
        if not isinstance(document, Mapping):
            raise InvalidDocumentError([Problem("document", f"must be an object, got {shown(document)}")])
        problems: list[Problem] = []
        attributes = {} if partial else self.blank
        details: dict[str, str] = {}
        vector = None
        for name, value in document.items():
            known = self.engine.field(name)
            if known is not None:
                problem = value_problem(known, value, self.longest_keyword)
                attributes[name] = value if problem else _stored(known, value)
            elif name in self.details:
                problem = text_problem(value, LONGEST_DETAIL)
                details[name] = value
            elif name == VECTOR:
                vector, problem = read_vector(value, self.engine)
            else:
                problem = self._unknown(name, hint=len(problems) < _HINTS)
            if problem:
                problems.append(Problem(str(name), problem))
        if not partial:
            wanted = [*self.required_fields, *self.required]
            problems += [Problem(name, "is missing") for name in wanted if name not in document]
        if problems:
            raise InvalidDocumentError(problems)
        return Fields(attributes, details, vector)

    def _unknown(self, name: object, *, hint: bool) -> str:
        names = [*(field.name for field in self.engine.fields), *self.details, VECTOR]
        near = meant(str(name), names) if hint else ""
        told = near or f"it has: {', '.join(names)}"
        return f"is no field of the catalogue ({told})"

    def named(
        self, key: str | None, attributes: Mapping[str, Attribute], details: Mapping[str, str]
    ) -> str | None:
        """The seller or the brand of a listing, by the field or detail that names it; None where none does."""
        if key is None:
            return None
        found = attributes[key] if key in attributes else details.get(key)
        return None if found is None else str(found)


def _fill(known: Field, value: Value | None) -> Any:
    """What a fill is as the value of a field: of tags the only one."""
    return [value] if known.kind == "tags" and value is not None else value


def _stored(known: Field, value: Any) -> Attribute:
    """A value of a document, which is right, as it is stored; None: it has none."""
    if known.kind == "tags":
        return list(dict.fromkeys(value or ()))
    return float(value) if known.kind == "float" and value is not None else value
