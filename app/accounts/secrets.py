"""Secrets that browsers and other systems carry; here only their hashes are kept."""

import hashlib
import secrets

TOKEN_MARK = "intact_"  # noqa: S105 - no secret: lets scanners and people recognise one


def new_session_secret() -> str:
    return secrets.token_urlsafe(32)


def new_api_token() -> str:
    return TOKEN_MARK + secrets.token_urlsafe(32)


def hash_of(secret: str) -> bytes:
    """SHA-256 suffices: the secret has 256 bits, there is nothing to guess."""
    return hashlib.sha256(secret.encode()).digest()


def form_token_of(session_secret: str) -> str:
    """What a session's forms carry: known to its pages, and to nobody who lacks its cookie."""
    return hashlib.sha256(b"form:" + session_secret.encode()).hexdigest()
