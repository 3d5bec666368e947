"""WS-UsernameToken with PasswordDigest: a password shown inside the SOAP envelope.

The password itself is never sent. Source: WS-Security UsernameToken Profile 1.0.
"""

import base64
import hashlib
import secrets
from datetime import UTC, datetime
from xml.sax.saxutils import escape

_WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_DIGEST_TYPE = (
    "http://docs.oasis-open.org/wss/2004/01/"
    "oasis-200401-wss-username-token-profile-1.0#PasswordDigest"
)
_ENCODING = (
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
)

# What a datetime can hold, a second aside: a camera may say that it is the year 1 or 9999.
_EARLIEST_S = datetime.min.replace(tzinfo=UTC).timestamp() + 1
_LATEST_S = datetime.max.replace(tzinfo=UTC).timestamp() - 1


def username_token(username: str, password: str, created_s: float) -> str:
    """The WS-Security header, with a fresh nonce.

    `created_s` is the *camera's* time in seconds since 1970: it refuses what its own clock calls
    old.
    """
    nonce = secrets.token_bytes(16)
    possible_s = min(max(created_s, _EARLIEST_S), _LATEST_S)
    created = datetime.fromtimestamp(possible_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    digest = base64.b64encode(password_digest(nonce, created, password)).decode()
    return (
        f'<wsse:Security s:mustUnderstand="1" xmlns:wsse="{_WSSE}" xmlns:wsu="{_WSU}">'
        f"<wsse:UsernameToken><wsse:Username>{escape(username)}</wsse:Username>"
        f'<wsse:Password Type="{_DIGEST_TYPE}">{digest}</wsse:Password>'
        f'<wsse:Nonce EncodingType="{_ENCODING}">{base64.b64encode(nonce).decode()}</wsse:Nonce>'
        f"<wsu:Created>{created}</wsu:Created></wsse:UsernameToken></wsse:Security>"
    )


def password_digest(nonce: bytes, created: str, password: str) -> bytes:
    """SHA-1(nonce + created + password), as the profile prescribes."""
    return hashlib.sha1(nonce + created.encode() + password.encode()).digest()  # noqa: S324 - the standard's
