"""HTTP digest: a password shown by a hash over the server's nonce.

Header values are handled as text of one character a byte (latin-1), as they come off the wire.
Sources: RFC 7616 (SHA-256, MD5, qop), RFC 2069 (without qop).
"""

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

# Each is possessive or anchored, so that no header, however made, is read in more than linear time.
_SCHEME = re.compile(r"(?:^|,)\s*+([A-Za-z][\w-]*+)\s++(?=[A-Za-z])")
_PARAMETER = re.compile(r'(?<![\w*-])([\w*-]++)\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"|([^\s,"]++))')
_QUOTED_TEXT = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\Z)')
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_ALGORITHMS = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}  # best first


@dataclass(frozen=True, slots=True)
class Challenge:
    """A digest challenge that can be answered. `algorithm` is as the camera wrote it."""

    realm: str
    nonce: str
    algorithm: str = "MD5"
    qop: bool = False
    opaque: str | None = None
    stale: bool = False

    @property
    def hash_name(self) -> str:
        """`MD5` or `SHA-256`."""
        return self.algorithm.upper().removesuffix("-SESS")


def choose_challenge(values: Iterable[str]) -> Challenge | None:
    """The best digest challenge of all `WWW-Authenticate` values: SHA-256 before MD5.

    None where there is none that can be answered.
    """
    found = [
        challenge
        for value in values
        for scheme, parameters in split_challenges(value)
        if scheme.lower() == "digest" and (challenge := _read_challenge(parameters)) is not None
    ]
    order = list(_ALGORITHMS)
    return min(found, key=lambda challenge: order.index(challenge.hash_name), default=None)


def split_challenges(value: str) -> Iterable[tuple[str, str]]:
    """(scheme, parameters) of each challenge in one header, quoted commas left alone."""
    masked = _QUOTED_TEXT.sub(lambda match: '"' * len(match[0]), value)
    starts = list(_SCHEME.finditer(masked))
    ends = [match.start() for match in starts] + [len(value)]
    return [(m[1], value[m.end() : end]) for m, end in zip(starts, ends[1:], strict=True)]


def _read_challenge(parameters: str) -> Challenge | None:
    """None where something is asked for that we cannot do, or that must not be echoed."""
    if _CONTROL.search(parameters):
        return None
    found = {
        match[1].lower(): match[3] if match[2] is None else re.sub(r"\\(.)", r"\1", match[2])
        for match in _PARAMETER.finditer(parameters)
    }
    offered = [qop.strip().lower() for qop in found.get("qop", "").split(",") if qop.strip()]
    if "nonce" not in found or (offered and "auth" not in offered):
        return None
    challenge = Challenge(
        realm=found.get("realm", ""),
        nonce=found["nonce"],
        algorithm=found.get("algorithm", "MD5"),
        qop=bool(offered),
        opaque=found.get("opaque"),
        stale=found.get("stale", "").lower() == "true",
    )
    return challenge if challenge.hash_name in _ALGORITHMS else None


def digest_authorization(
    challenge: Challenge,
    username: str,
    password: str,
    *,
    method: str,
    uri: str,
    cnonce: str | None = None,
    count: int = 1,
) -> str:
    """The value of the `Authorization` header.

    `cnonce` is made here unless given. `count` says how often this challenge is answered with this
    one: a server refuses a count that it has seen.
    """
    cnonce = cnonce or secrets.token_hex(8)
    nc = f"{count:08x}"
    username, password = _as_bytes(username), _as_bytes(password)
    secret = _hexdigest(challenge, f"{username}:{challenge.realm}:{password}")
    if challenge.algorithm.upper().endswith("-SESS"):
        secret = _hexdigest(challenge, f"{secret}:{challenge.nonce}:{cnonce}")
    asked = _hexdigest(challenge, f"{method}:{uri}")
    middle = f"{nc}:{cnonce}:auth:" if challenge.qop else ""
    response = _hexdigest(challenge, f"{secret}:{challenge.nonce}:{middle}{asked}")
    parts = [
        f'username="{_quoted(username)}"',
        f'realm="{_quoted(challenge.realm)}"',
        f'nonce="{_quoted(challenge.nonce)}"',
        f'uri="{uri}"',
        f"algorithm={challenge.algorithm}",
        f'response="{response}"',
    ]
    if challenge.opaque is not None:
        parts.append(f'opaque="{_quoted(challenge.opaque)}"')
    if challenge.qop:
        parts += ["qop=auth", f"nc={nc}"]
    if challenge.qop or challenge.algorithm.upper().endswith("-SESS"):
        parts.append(f'cnonce="{cnonce}"')
    return "Digest " + ", ".join(parts)


def _hexdigest(challenge: Challenge, text: str) -> str:
    return _ALGORITHMS[challenge.hash_name](text.encode("latin-1")).hexdigest()


def _as_bytes(text: str) -> str:
    """UTF-8, one character a byte, as header values are kept: a realm comes back as it came."""
    return text.encode().decode("latin-1")


def _quoted(text: str) -> str:
    """Safe inside quotes in a header: no line ends, quotes escaped."""
    return _CONTROL.sub("", text).replace("\\", "\\\\").replace('"', '\\"')
