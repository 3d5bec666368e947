"""Scenarios of one camera, as TOML, and the camera as the register has it."""

import json

from collectors.probe import ProbeMethod, Target
from collectors.simulator.fleet import Device

HOUR_S = 3600
CLEAR_REFUSALS = (
    (200, "soap"), (400, "soap"), (401, "soap"), (403, "soap"), (500, "soap"),
    (401, "html"), (403, "html"), (401, "empty"), (403, "empty"),
)  # fmt: skip
VAGUE_REFUSALS = ((400, "html"), (400, "empty"))
"""(HTTP status, body) of refusals; the vague may as well mean that the camera is confused."""


def fault(kind: str, **settings: object) -> str:
    """One fault of every camera, as TOML."""
    keys = "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items())
    return f'[[fault]]\nkind = "{kind}"\nshare = 1.0\n{keys}'


def token(**settings: object) -> str:
    return fault("auth", scheme="ws_token", **settings)


def digest(**settings: object) -> str:
    return fault("auth", scheme="http_digest", **settings)


def skew(hours: float) -> str:
    return fault("clock_skew", seconds=hours * HOUR_S)


def target(camera: Device, *, known: bool = True, tls: bool = False) -> Target:
    """The camera as the register has it; where not `known`, without its password."""
    assert camera.port is not None
    return Target(
        1,
        camera.address,
        camera.port,
        ProbeMethod.ONVIF,
        tls=tls,
        username=camera.username if known else "",
        password=camera.password if known else "",
    )
