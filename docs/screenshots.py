"""Takes the pictures of the pages that README shows (`make screenshots`).

Starts the demonstration with its fleet, open for reading on loopback, waits for a sweep, and lets
Debian's Chromium look at it.
"""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import sync_playwright

FOLDER = Path(__file__).parent / "screenshots"
CHROMIUM = "/usr/bin/chromium"
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PORT = 8765
ADDRESS = f"http://127.0.0.1:{PORT}"
READY_WITHIN_S = 300
SETTLE_MS = 1_500

PAGES: tuple[tuple[str, str, dict[str, int], str, str], ...] = (
    ("overview", "/", {"width": 1440, "height": 1000}, "light", "zh"),
    ("overview-phone", "/", {"width": 390, "height": 844}, "dark", "en"),
    ("wall", "/wall", {"width": 1920, "height": 1080}, "dark", "zh"),
    ("station", "STATION", {"width": 1440, "height": 1000}, "light", "zh"),
    ("months", "/months", {"width": 1440, "height": 1000}, "light", "zh"),
    ("cameras", "/devices?sort=state", {"width": 1440, "height": 1000}, "light", "zh"),
    ("map", "/map", {"width": 1440, "height": 1000}, "light", "zh"),
    ("alerts", "/alerts?state=all", {"width": 1440, "height": 1000}, "light", "zh"),
    ("faults", "/faults?state=all", {"width": 1440, "height": 1000}, "light", "zh"),
    ("camera", "CAMERA", {"width": 1440, "height": 1300}, "dark", "zh"),
)
"""(file, path, window, colours, language); a path in capitals is the first of its kind."""


def main() -> None:
    """Write every picture into `docs/screenshots/`."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as data:
        command = [sys.executable, "-m", "app.cli", "demo", "--open", "--data", data]
        demo = subprocess.Popen([*command, "--port", str(PORT)])  # noqa: S603 - this interpreter
        try:
            _await_a_sweep()
            _take_all()
        finally:
            demo.terminate()
            demo.wait(30)


def _await_a_sweep() -> None:
    """Raises `TimeoutError` where the demonstration does not come up."""
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        time.sleep(2)
        try:
            sweeps = httpx.get(f"{ADDRESS}/api/v1/sweeps?limit=2", trust_env=False).json()["sweeps"]
        except httpx.TransportError:
            continue
        if any(sweep["wall_s"] > 1 for sweep in sweeps):  # one that was really made
            return
    raise TimeoutError(f"no sweep within {READY_WITHIN_S} s")


def _take_all() -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        for name, path, window, colours, language in PAGES:
            _take(browser, name, _found(path), window, colours, language)
        browser.close()


def _take(
    browser: Any, name: str, path: str, window: dict[str, int], colours: str, language: str
) -> None:
    page = browser.new_page(viewport=window, color_scheme=colours)
    page.goto(f"{ADDRESS}{path}{'&' if '?' in path else '?'}lang={language}")
    page.wait_for_timeout(SETTLE_MS)
    page.screenshot(path=FOLDER / f"{name}.png")
    page.close()


def _found(path: str) -> str:
    """The page itself, for a path that only names its kind."""
    kinds = {"STATION": ("/stations", r'href="(/stations/[^"?]+)"')}
    kinds["CAMERA"] = ("/devices?sort=state", r'href="(/devices/[^"?]+)"')
    if path not in kinds:
        return path
    index, link = kinds[path]
    match = re.search(link, httpx.get(ADDRESS + index, trust_env=False, timeout=30).text)
    if match is None:
        raise LookupError(f"{index} leads nowhere")
    return match[1]


if __name__ == "__main__":
    main()
