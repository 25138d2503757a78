"""A parsed report, and a run with many cells."""

from functools import cache
from html.parser import HTMLParser

from harness.results.result import RunResult
from reports.page.html import render_result
from tests.unit.example_results import ENGINES, build, realistic

VOID = {"meta", "link", "br", "img", "input", "hr", "col", "wbr"}


class Page(HTMLParser):
    """A parsed report: its tags are balanced, its text and ids at hand."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.words: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        self._note(attrs)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._note(attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    def _note(self, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("src", "href", "xlink:href", "srcset", "action"):
                self.links.append(value or "")

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).replace("\u00a0", " ").split())


@cache
def sound_page() -> str:
    """The page of a run in which nothing went wrong: drawn once, for all tests that only read it."""
    return render_result(build())


@cache
def realistic_page() -> str:
    """The page of a run with everything that goes wrong in real ones, drawn once as well."""
    return render_result(realistic())


def many(engines: int = 1, filters: int = 4, settings_of_each: int = 3, trials: int = 2) -> RunResult:
    """A run of many cells: copies of every engine, with longer grids."""
    copies = {
        f"{name}-{copy}": (adapter, index, {key: list(range(settings_of_each)) for key in grid}, qps, recall)
        for copy in range(engines)
        for name, (adapter, index, grid, qps, recall) in ENGINES.items()
    }
    shares = {f"f{number}": 0.9**number for number in range(filters)}
    return build(engines=copies, filters=shares, trials=trials)
