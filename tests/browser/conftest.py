"""The system's Chromium, without a window, and a service for its pages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.opened import INJECTED, Opened
from tests.service import shop
from tests.service.launch import Service, running

if TYPE_CHECKING:
    from playwright.sync_api import Browser

DESK = (1280, 900)
# Of seven lists only one is looked at, so that the approximate answers lack something.
ENGINE = """
engine: faiss
index: {kind: ivf, nlist: 7}
search: {nprobe: 1}
simulated_users: 3
"""
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium() -> str:
    """Its path."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if (found := shutil.which(name))), None)
    if path is None:
        reason = f"none of {', '.join(names)} is installed (on Debian: apt-get install chromium)"
        if os.environ.get("BAKEOFF_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return path


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def service(tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Iterator[Service]:
    """The shop, with vectors that are pictures; `chromium` first, for without it nothing needs to start."""
    folder = tmp_path_factory.mktemp("page")
    data = shop.write(folder)
    (data / "dataset.yaml").write_text("metric: cosine\nid: id\ntext: [title]\npicture: {pixels: [2, 4]}\n")
    (folder / "service.yaml").write_text(shop.SETTINGS + ENGINE)
    with running(folder, "--dataset", "shop", "--config", "service.yaml") as started:
        injected = shop.document(title=f"{INJECTED} hat", seller="eve")
        assert started.ask("PUT", "/v1/listings/injected", injected).status == 200
        yield started
        assert not [line for line in started.said if "Traceback" in line]


@pytest.fixture(params=[DESK], ids=["desk"])
def opened(browser: Browser, service: Service, request: pytest.FixtureRequest) -> Iterator[Opened]:
    width, height = request.param
    page = browser.new_page(viewport={"width": width, "height": height})
    found = Opened(page, service)
    yield found
    page.close()
    assert [url for url in found.requests if not url.startswith((service.url + "/", "blob:"))] == []
