"""A headless Chromium in which a page is looked at as a reader does: the system's own, for none can be fetched."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

PROGRAM: Final = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

# First what was done before may end: a dialog that closes writes the address a moment later.
_GO: Final = """async to => {
  await new Promise(shown => requestAnimationFrame(() => setTimeout(shown)));
  history.replaceState(null, '', '#');
  await new Promise(arrived => {
    addEventListener('hashchange', () => setTimeout(arrived), { once: true });
    location.hash = to;
  });
}"""


@contextmanager
def started() -> Iterator[Browser]:
    """The browser; where there is none the test is skipped, and in CI it fails."""
    if PROGRAM is None:
        missing = "no Chromium on this host; remedy: apt install chromium"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


class Reader:
    """Somebody with a page before him; what the page complains of, or asks for elsewhere, is written down."""

    def __init__(self, browser: Browser, path: Path, *, script: bool = True, dark: bool = False, width: int = 1440):
        self._context = browser.new_context(
            viewport={"width": width, "height": 900},
            java_script_enabled=script,
            color_scheme="dark" if dark else "light",
        )
        self.page: Page = self._context.new_page()
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._requested)
        self._uri = path.as_uri()
        self._script = script

    def open(self, fragment: str = "", ready: str = "html[data-ready]") -> Page:
        """The page at that fragment, when what says that it is ready is there."""
        self.page.goto("about:blank")
        self.page.goto(self._uri + fragment)
        if self._script:
            self.page.wait_for_selector(ready)
        return self.page

    def go(self, fragment: str) -> Page:
        """The page that is open, led to that fragment as by a link."""
        self.page.evaluate(_GO, fragment)
        return self.page

    def tabs_to(self, inside: str, most: int) -> int | None:
        """How many times Tab is pressed until the focus is inside what the selector names; None beyond ``most``."""
        for stop in range(1, most + 1):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("inside => document.activeElement.closest(inside) !== null", inside):
                return stop
        return None

    def close(self) -> None:
        """Leave."""
        self._context.close()

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _requested(self, request: Request) -> None:
        if not request.url.startswith((self._uri, "about:blank")):
            self.asked.append(request.url)
