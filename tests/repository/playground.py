"""The console as the tests of the playground use it: click a button, read what the page shows."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page, expect

# Each change button, and the check that refuses the changed token. The app accepts one of them in its leeway.
CHANGES = {
    "Another user": "Signature",
    "Admin": "Signature",
    "Never expires": "Signature",
    "alg: none": "Signature",
    "Another key": "Signature",
    "One hour older": "Claims and time",
    "Just expired": "",
    "No exp": "Claims and time",
    "Unknown user": "User",
}
OPEN_DETAILS = "document.querySelectorAll('details').forEach((details) => { details.open = true; })"

expect.set_options(timeout=20_000)  # milliseconds


@dataclass
class Console:
    """A page with the console, in a browser."""

    page: Page

    def click(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def send(self, button: str) -> str:
        """Click a button that sends a request. Return the status of the response."""
        number = self.page.locator(".exchange").count() + 1
        self.click(button)
        self.page.locator(".exchange .number", has_text=re.compile(f"^#{number}$")).wait_for()
        return self.read_status()

    def read_status(self) -> str:
        """Wait for the newest response and return its status."""
        status = self.newest.locator(".status", has_not_text="…")
        status.wait_for(timeout=60_000)  # Python may still be loading
        return status.inner_text()

    def send_again(self) -> str:
        """Send the latest request with the token that the page shows. Return the status of the response."""
        return self.send(self.page.locator("#again").inner_text())

    @property
    def newest(self) -> Locator:
        """The latest request with its response."""
        return self.page.locator(".exchange").first

    @property
    def request(self) -> str:
        return self.newest.locator(".request").inner_text()

    @property
    def response(self) -> str:
        return self.newest.locator(".response").inner_text()

    @property
    def body(self) -> Any:
        """The JSON of the latest response."""
        return json.loads(self.response.partition("\n\n")[2])

    @property
    def checks(self) -> dict[str, str]:
        """How far the token got: passed, refused, wrong or open, by the name of the check."""
        items = self.page.locator("#gates li")
        items.first.wait_for()
        script = "items => items.map((item) => [item.querySelector('b').textContent, item.className])"
        return dict(items.evaluate_all(script))

    @property
    def refused_by(self) -> str:
        """The check that refused the token, or "" if the app accepted the token."""
        return next((name for name, state in self.checks.items() if state in ("refused", "wrong")), "")

    @property
    def token(self) -> str:
        """The token that the next request sends."""
        return self.page.get_by_label("Authorization").input_value().rpartition(" ")[2]

    @property
    def claims(self) -> Any:
        return json.loads(self.field("Claims").input_value())

    def field(self, name: str) -> Locator:
        """The text field of a part of the token: Header or Claims."""
        return self.page.get_by_role("textbox", name=name, exact=True)

    @property
    def signing(self) -> Locator:
        """The choice of how to sign the token."""
        return self.page.get_by_role("combobox", name="Signature")

    def paste(self, token: str, prefix: str = "JWT") -> None:
        self.page.get_by_label("Authorization").fill(f"{prefix} {token}")


def scrolls_sideways(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))
