"""One POST of JSON to a receiver that nobody trusts.

The whole exchange has one deadline, however slowly the answer drips; its content is not read, as it
may have no end. No proxy from the environment, no redirect: what is not 2xx was not accepted.
"""

import asyncio
from typing import Any

import httpx

TIMEOUT_S = 5.0


def post(address: str, body: dict[str, Any]) -> str | None:
    """Send; returns what went wrong. The address, which may be a secret, stays out of it."""
    try:
        return asyncio.run(asyncio.wait_for(_post(address, body), TIMEOUT_S))
    except TimeoutError:
        return f"no answer within {TIMEOUT_S:g} s"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return f"{type(error).__name__}: {error}".replace(address, "the address")


async def _post(address: str, body: dict[str, Any]) -> str | None:
    async with (
        httpx.AsyncClient(trust_env=False, timeout=TIMEOUT_S, follow_redirects=False) as client,
        client.stream("POST", address, json=body) as answer,
    ):
        return None if answer.is_success else f"HTTP {answer.status_code}"
