"""Sending by apprise (mail, DingTalk, WeCom, Feishu, many more), in a process that then ends.

The process gets nothing of our environment but where programs and certificates are: no proxy, no
secret of ours. It is killed at its deadline, however slowly a receiver answers. No more than
`AT_ONCE` run together: each takes some 50 MB while it runs.
"""

import json
import os
import ssl
import subprocess
import sys
import threading
from typing import Any

TIMEOUT_S = 20.0
AT_ONCE = 2
WAIT_S = 60.0
KEPT = ("PATH", "PYTHONPATH", "VIRTUAL_ENV", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE")
MODULE = "app.operations.delivery.apprise_child"
TYPES = {"resolved": "success", "info": "info", "warning": "warning", "critical": "failure"}
"""Event, else severity → apprise's type of a message."""

_slots = threading.BoundedSemaphore(AT_ONCE)
_running: set["subprocess.Popen[str]"] = set()


def send_by_apprise(address: str, title: str, text: str, event: str, severity: str) -> str | None:
    """Send one message; returns what went wrong, without the address."""
    kind = TYPES.get(event) or TYPES[severity]
    return _ask({"address": address, "title": title, "text": text, "type": kind})


def check_address(address: str) -> str | None:
    """What is wrong with an address, before anything is sent to it."""
    return _ask({"address": address})


def kill_running() -> None:
    """End what is being sent: this process ends."""
    for process in tuple(_running):
        process.kill()


def _ask(question: dict[str, Any]) -> str | None:
    if not _slots.acquire(timeout=WAIT_S):
        return "too much is being sent at once"
    try:
        return _answer(question)
    finally:
        _slots.release()


def _answer(question: dict[str, Any]) -> str | None:
    with subprocess.Popen(  # noqa: S603 - this interpreter
        [sys.executable, "-m", MODULE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(),
        text=True,
    ) as process:
        _running.add(process)
        try:
            told, _nothing = process.communicate(json.dumps(question) + "\n", TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            return f"no answer within {TIMEOUT_S:g} s"
        finally:
            _running.discard(process)
    try:
        error: str | None = json.loads(told)["error"]
    except ValueError:
        return f"the sending process ended with {process.returncode}"
    return error


def environment() -> dict[str, str]:
    """What the process may know. The system's certificates hold those of the closed network."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    authorities = ssl.get_default_verify_paths().cafile
    trusted = {"REQUESTS_CA_BUNDLE": authorities} if authorities else {}
    return kept | trusted | {"HOME": os.devnull, "NETRC": os.devnull, "PYTHONUTF8": "1"}
