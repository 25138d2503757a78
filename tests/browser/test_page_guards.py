"""The service's page takes nothing for its own that is not: texts, scripts, pictures; and a key only for itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import numpy as np
import pytest

from service.api.http.png import grey_png
from service.settings.keys import new_key
from tests.browser.opened import INJECTED, TITLE, Opened
from tests.service import shop
from tests.service.launch import Service, running

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def photos() -> Iterator[str]:
    """The address of a picture on another server, 3 x 1 pixels."""
    content = grey_png(np.zeros((1, 3), np.float32))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "image/png")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/photo.png"
        server.shutdown()


@pytest.fixture(scope="module")
def keyed(
    tmp_path_factory: pytest.TempPathFactory, browser: Browser, photos: str
) -> Iterator[tuple[Service, str]]:
    """The shop with addresses of pictures, for who has a key; and that key."""
    folder = tmp_path_factory.mktemp("keyed")
    shop.write(folder)
    key, entry = new_key("reader", ["read", "write"])
    (folder / "keys.yaml").write_text(f"keys:\n{entry}\n")
    settings = shop.SETTINGS.replace("details: [seller]", "details: [seller, photo], picture: photo")
    (folder / "service.yaml").write_text(settings + "keys: keys.yaml\nsimulated_users: 2\n")
    with running(folder, "--dataset", "shop", "--config", "service.yaml") as started:
        for id_, photo in (
            ("good", photos),
            ("script", "javascript:alert(1)"),
            ("file", "file:///etc/hostname"),
        ):
            listing = shop.document(title=f"A {id_} hat", photo=photo)
            done = started.ask("PUT", f"/v1/listings/{id_}", listing, {"authorization": f"Bearer {key}"})
            assert done.status == 200
        yield started, key


def test_what_a_listing_says_stays_text(opened: Opened) -> None:
    opened.open("/?text=hat")
    assert INJECTED in opened.page.locator(".card .title").first.inner_text()
    opened.page.get_by_role("button", name="Why").first.click()
    assert INJECTED in opened.page.get_by_role("dialog").inner_text()
    assert opened.page.title() == TITLE
    assert opened.messages == []


def test_no_script_runs_but_the_pages_own(opened: Opened) -> None:
    """Were a title to become HTML after all, the policy would still keep it from running."""
    opened.open()
    opened.page.evaluate("html => { document.querySelector('#told').innerHTML = html }", INJECTED)
    opened.page.evaluate(
        """() => {
            const script = document.createElement('script');
            script.textContent = "document.title = 'taken over'";
            document.body.append(script);
        }"""
    )
    opened.page.wait_for_function("() => document.querySelector('#told img').complete")
    assert opened.page.title() == TITLE
    refused = [text for text in opened.messages if "Content Security Policy" in text]
    assert [
        kind
        for kind in ("inline script", "inline event handler")
        if not any(kind in text for text in refused)
    ] == []
    elsewhere = opened.page.evaluate("fetch('http://127.0.0.1:1/').catch(error => error.message)")
    assert elsewhere == "Failed to fetch"
    opened.requests = [url for url in opened.requests if url != "http://127.0.0.1:1/"]


def test_a_key_is_asked_for_and_pictures_may_lie_elsewhere(
    browser: Browser, keyed: tuple[Service, str], photos: str
) -> None:
    service, key = keyed
    context = browser.new_context()
    opened = Opened(context.new_page(), service).open("/?text=hat")
    assert "A valid API key is needed." in opened.page.get_by_role("alert").inner_text()
    for given in ("wrong", key):
        opened.page.get_by_label("This service needs an API key").fill(given)
        with opened.page.expect_response("**/v1/service"):
            opened.page.get_by_role("button", name="Use it").click()
    opened.page.wait_for_selector(".card")
    assert not opened.page.get_by_label("This service needs an API key").is_visible()
    assert sorted(opened.ids("By words")) == ["file", "good", "script"]
    good = opened.page.locator("[data-id=good] img")
    opened.page.wait_for_function("image => image.complete", arg=good.element_handle())
    assert good.evaluate("image => image.naturalWidth") == 3
    assert opened.page.locator(".card").filter(has_text="no picture").count() == 2
    elsewhere = {url for url in opened.requests if not url.startswith(service.url)}
    assert elsewhere == {photos}
    assert opened.page.evaluate("sessionStorage.length + localStorage.length") == 1
    assert key not in opened.page.url
    opened.page.evaluate("sessionStorage.setItem('bakeoff-key', 'revoked')")
    opened.find("linen")
    with opened.page.expect_response("**/v1/search"):
        opened.page.get_by_label("This service needs an API key").fill(key)
        opened.page.get_by_role("button", name="Use it").click()
    opened.settled()
    assert opened.page.get_by_label("Recommend to").locator("option").count() == 3  # each once
    context.close()
