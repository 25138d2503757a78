"""The third stage: what must not be shown, and not too much of one seller or brand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from service.memory.stock import Known
from service.retrieval.values import NOTHING, Exclusions, Removed


class Selection:
    """Listings that pass, in the order in which they are offered, up to k.

    The rules: `itself`, `own`, `blocked`, `seen`, then `seller` and `brand` (as many of one as may be are chosen
    already). What was found out before counts here too: `sold` (no longer there) and `changed` (matches the filter no
    longer, or never did).
    """

    def __init__(
        self, k: int, exclusions: Exclusions, a_seller: int | None = None, a_brand: int | None = None
    ) -> None:
        self.k, self.chosen = k, set[int]()
        self._exclusions = exclusions
        self._a_seller, self._a_brand = a_seller, a_brand
        # Whether there is a rule that anything can break.
        self._ruled = a_seller is not None or a_brand is not None or exclusions != NOTHING
        self._sellers: dict[str, int] = {}  # how many of each are chosen
        self._brands: dict[str, int] = {}
        self._removed: dict[str, list[int]] = {}

    @property
    def full(self) -> bool:
        """Whether there are k."""
        return len(self.chosen) >= self.k

    def copy(self) -> Selection:
        """One of its own, with what is chosen so far."""
        other = Selection(self.k, self._exclusions, self._a_seller, self._a_brand)
        other.chosen, other._sellers, other._brands = (
            set(self.chosen),
            dict(self._sellers),
            dict(self._brands),
        )
        other._removed = {rule: list(numbers) for rule, numbers in self._removed.items()}
        return other

    def offer(self, candidates: Known, order: Iterable[int]) -> list[int]:
        """Which of the candidates are chosen, by their rows; `order` names these, best first."""
        rows: list[int] = []
        numbers, chosen = candidates.numbers.tolist(), self.chosen
        for row in order:
            if len(chosen) >= self.k:
                break
            if numbers[row] in chosen:
                continue  # by a narrower filter
            if self._ruled:
                seller, brand = candidates.sellers[row], candidates.brands[row]
                if rule := self._broken(candidates.ids[row], seller, brand):
                    self.removed_by(rule, [numbers[row]])
                    continue
                if seller is not None:
                    self._sellers[seller] = self._sellers.get(seller, 0) + 1
                if brand is not None:
                    self._brands[brand] = self._brands.get(brand, 0) + 1
            chosen.add(numbers[row])
            rows.append(row)
        return rows

    def _broken(self, id_: str, seller: str | None, brand: str | None) -> str:
        exclusions = self._exclusions
        if id_ == exclusions.itself:
            return "itself"
        if id_ in exclusions.own or (seller is not None and seller == exclusions.seller):
            return "own"
        if id_ in exclusions.blocked or seller in exclusions.blocked_sellers:
            return "blocked"
        if id_ in exclusions.seen:
            return "seen"
        if _many(seller, self._sellers, self._a_seller):
            return "seller"
        return "brand" if _many(brand, self._brands, self._a_brand) else ""

    def removed_by(self, rule: str, numbers: Iterable[int]) -> None:
        """Counts what a rule removed, this stage's or one before it."""
        self._removed.setdefault(rule, []).extend(numbers)

    def removed(self, *, explain: bool) -> dict[str, Removed]:
        """What each rule removed, each listing counted once."""
        found = {rule: tuple(dict.fromkeys(numbers)) for rule, numbers in self._removed.items()}
        return {rule: Removed(len(numbers), numbers if explain else ()) for rule, numbers in found.items()}


def _many(name: str | None, chosen: Mapping[str, int], most: int | None) -> bool:
    """Whether as many of a seller or brand are chosen as may be. Listings that name none are of different ones."""
    return name is not None and most is not None and chosen.get(name, 0) >= most
