"""Showing a camera's media services (RTSP, snapshot) the registered password.

An account is locked after a few bad passwords, whichever service was shown them. So a password that
the ONVIF service or a media service refused is shown to no media service again until it changes.
What a media service refuses, ONVIF may still accept: many cameras keep those users apart.
Source: DESIGN §5.
"""

from base64 import b64encode
from collections.abc import Sequence

from collectors.onvif.credentials import CredentialMemory
from collectors.onvif.digest import choose_challenge, digest_authorization, split_challenges
from collectors.probe import Target


def authorization(
    challenges: Sequence[str], target: Target, method: str, uri: str, count: int = 1
) -> str | None:
    """The `Authorization` header that answers `WWW-Authenticate` values: digest, else basic.

    None where nothing is asked for that we can do. `count` as in `digest_authorization`.
    """
    challenge = choose_challenge(challenges)
    if challenge is not None:
        return digest_authorization(
            challenge, target.username, target.password, method=method, uri=uri, count=count
        )
    offered = {scheme.lower() for value in challenges for scheme, _ in split_challenges(value)}
    if "basic" not in offered:
        return None
    return "Basic " + b64encode(f"{target.username}:{target.password}".encode()).decode()


def is_stale(challenges: Sequence[str]) -> bool:
    """Whether only the nonce was refused, not the password."""
    challenge = choose_challenge(challenges)
    return challenge is not None and challenge.stale


def was_refused(memory: CredentialMemory, target: Target) -> bool:
    """Whether ONVIF or a media service refused this password before."""
    return any(
        memory.was_refused(where, target.username, target.password)
        for where in (target.address, _media(target))
    )


def remember_refusal(memory: CredentialMemory, target: Target) -> None:
    """A media service said no: show this password to none of them again."""
    memory.remember_refusal(_media(target), target.username, target.password)


def _media(target: Target) -> str:
    return f"media services of {target.address}"
