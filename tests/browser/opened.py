"""The service's page in a browser, with what it says and asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.service.launch import Service

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

INJECTED = "<img src=x onerror=\"document.title = 'taken over'\">"
TITLE = "Bakeoff: what the service finds"


class Opened:
    """The page, with everything it said and asked for."""

    def __init__(self, page: Page, service: Service) -> None:
        self.page, self.origin = page, service.url
        self.messages, self.requests = list[str](), list[str]()
        page.set_default_timeout(20_000)
        page.on("console", lambda message: self.messages.append(message.text))
        page.on("pageerror", lambda error: self.messages.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    def open(self, path: str = "/") -> Opened:
        self.page.goto(self.origin + path)
        self.settled()
        return self

    def settled(self) -> None:
        """Returns once an answer or a problem is shown."""
        self.page.wait_for_function(
            """() => !document.querySelector('#answers').hasAttribute('aria-busy')
            && (document.querySelector('.answer') || !document.querySelector('#problem').hidden)"""
        )

    def does(self, action: Callable[[], Any]) -> None:
        """Something that asks again."""
        before = self.page.url
        action()
        self.page.wait_for_function("before => location.href !== before", arg=before)
        self.settled()

    def find(self, text: str) -> None:
        self.page.get_by_role("searchbox", name="Search").fill(text)
        self.does(lambda: self.page.keyboard.press("Enter"))

    def ids(self, column: str) -> list[str]:
        return (
            self.column(column).locator(".card").evaluate_all("cards => cards.map(card => card.dataset.id)")
        )

    def box(self, value: str) -> Locator:
        return self.page.get_by_role("checkbox", name=value)

    def column(self, name: str) -> Locator:
        return self.page.get_by_role("region", name=name, exact=True)

    @property
    def told(self) -> str:
        return self.page.get_by_role("status").inner_text()

    @property
    def notices(self) -> str:
        return " ".join(self.page.locator("#answers .notice").all_inner_texts())
