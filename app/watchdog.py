"""Tells systemd that the server is ready, and then again and again that it answers.

Where nobody asks for it (`NOTIFY_SOCKET` is not set) nothing is told. Source: sd_notify(3),
sd_watchdog_enabled(3).
"""

import os
import socket

import httpx

TIMEOUT_S = 5.0


def tell(state: str) -> None:
    """Send a state such as `READY=1` to the service manager, if there is one."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):  # the abstract name space
        address = f"\0{address[1:]}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.connect(address)
        channel.sendall(state.encode())


def interval_s() -> float | None:
    """How often to say that the server lives: half of what systemd waits for; None: never."""
    limit_us = os.environ.get("WATCHDOG_USEC", "")
    return int(limit_us) / 2_000_000 if limit_us.isdecimal() and int(limit_us) else None


def tell_alive(url: str) -> None:
    """Ask our own server at `url`, and say that it lives if it answers."""
    try:
        httpx.get(url, timeout=TIMEOUT_S, trust_env=False).raise_for_status()
    except httpx.HTTPError:
        return  # systemd will notice the silence
    tell("WATCHDOG=1")
