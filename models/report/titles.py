"""What a listing is called on the page."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.results.text import visible
from models.data.items import MISSING, Items
from reports.wording import number, shortened

_LONGEST, _LONGEST_DETAIL = 70, 90  # characters
_DETAILS = 4  # columns of categories
_TITLES = ("title", "name", "product_name", "prod_name", "headline", "subject")


@dataclass(frozen=True, slots=True)
class Titles:
    """Titles and details of the listings of a catalogue.

    text: the column that titles are read from, None where there is none; then categories stand in, else the id.
    """

    items: Items
    text: str | None = field(init=False)

    def __post_init__(self) -> None:
        """A column that is called like a title, else the first of text."""
        named = (name for name in self.items.texts if name.lower() in _TITLES)
        ending = (name for name in self.items.texts if name.lower().endswith(("title", "name")))
        chosen = next(named, None) or next(ending, None) or next(iter(self.items.texts), None)
        object.__setattr__(self, "text", chosen)

    def title(self, row: int) -> str:
        """The text of a listing, else its categories, else its id."""
        text = str(self.items.texts[self.text][row]).strip() if self.text is not None else ""
        return visible(shortened(text or self._categories(row) or f"listing {self.items.ids[row]}", _LONGEST))

    def detail(self, row: int) -> str:
        """The categories, and the number called price, of a listing whose title says other things; "" if none."""
        text = str(self.items.texts[self.text][row]).strip() if self.text is not None else ""
        parts = [self._categories(row, beside=text)] if text else []
        price = self.items.numbers.get("price")
        if price is not None and price[row] == price[row]:  # not NaN
            parts.append(f"price {number(float(price[row]))}")
        return visible(shortened(" · ".join(part for part in parts if part), _LONGEST_DETAIL))

    def _categories(self, row: int, beside: str = "") -> str:
        """The first few words of the listing that the text beside them does not say already."""
        said, found = beside.lower(), []
        for column in self.items.categories.values():
            code = int(column.codes[row])
            word = "" if code == MISSING else column.words[code]
            if word and word.lower() not in said and word not in found and not word.isdigit():
                found.append(word)
        return " · ".join(found[:_DETAILS])
