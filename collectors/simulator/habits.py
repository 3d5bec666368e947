"""Odd ways of answering: each habit turns a good reply into the one this camera gives.

A new habit is a function and a line in `HABITS`; its name is at once a fault kind of scenarios.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from collectors.simulator.wire import Reply

Habit = Callable[[Reply], Reply]


def invalid_xml(reply: Reply) -> Reply:
    """200 with an envelope that is never closed."""
    return replace(reply, status=200, body=reply.body.rpartition(b"</s:Body>")[0])


HABITS: Mapping[str, Habit] = {"invalid_xml": invalid_xml}
