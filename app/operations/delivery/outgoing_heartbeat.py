"""Tells a dead man's switch elsewhere that we live: its silence is what reports our own death.

Nothing is told while the collector is not heard of. A failure is logged once, and so is its end; it
stops nothing.
"""

from collections.abc import Callable

import structlog

from app.operations.delivery.posting import get

log = structlog.get_logger()


class OutgoingHeartbeat:
    """Asks an address (which may be a secret) at each beat, while `is_alive` says so."""

    def __init__(self, address: str, is_alive: Callable[[], bool]) -> None:
        self._address = address
        self._is_alive = is_alive
        self._failing: str | None = None

    def beat(self) -> bool:
        """Tell that we live; returns whether that was heard."""
        error = get(self._address) if self._is_alive() else "the collector is silent"
        if error is not None and error != self._failing:
            log.warning("outgoing heartbeat failed", error=error)
        elif error is None and self._failing is not None:
            log.info("outgoing heartbeat is heard again")
        self._failing = error
        return error is None
