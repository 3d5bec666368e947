"""How a simulated camera checks credentials: WS-UsernameToken and HTTP digest.

Sources: OASIS WS-Security UsernameToken Profile 1.0, ONVIF Core specification §5.9, RFC 7616.
"""

import hashlib
import hmac
import re
import secrets
import time
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import UTC, datetime

from lxml import etree

from collectors.simulator.replies import fault
from collectors.simulator.wire import Reply, Request

CREATED_WINDOW_S = 300
"""How far `Created` may be from the camera's own clock, either way."""

LOCKED_S = 1800.0
"""How long an account stays locked after too many bad passwords."""

REALM = "intact-simulator"
_REMEMBERED_NONCES = 64
_WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_HASHES: Mapping[str, str] = {"MD5": "md5", "SHA-256": "sha256"}
_DIRECTIVE = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]+))')


class TokenGuard:
    """Asks for a WS-UsernameToken with PasswordDigest; a nonce is good for one request."""

    def __init__(self, username: str, password: str) -> None:
        self._username, self._password = username, password
        self._seen: dict[bytes, float] = {}
        self.replays = 0

    def refusal(self, request: Request, clock_s: float) -> Reply | None:
        """None where the token is right; `clock_s` is the camera's own Unix time."""
        reason = self._mistake(request.body, clock_s)
        return fault(400, "Sender", "NotAuthorized", reason) if reason else None

    def _mistake(self, body: bytes, clock_s: float) -> str:
        token = _username_token(body)
        if token is None:
            return "a WS-UsernameToken is required"
        password = token.find(f"{{{_WSSE}}}Password")
        if password is None or not password.get("Type", "").endswith("#PasswordDigest"):
            return "the password must be given as PasswordDigest"
        created = token.findtext(f"{{{_WSU}}}Created", "").strip()
        if not _is_recent(created, clock_s):
            return "Created is not within five minutes of the clock"
        try:
            nonce = b64decode(token.findtext(f"{{{_WSSE}}}Nonce", ""), validate=True)
        except ValueError:
            return "the nonce is not base64"
        if token.findtext(f"{{{_WSSE}}}Username", "") != self._username:
            return "unknown user or wrong password"
        if not _equal((password.text or "").strip(), self._digest(nonce, created)):
            return "unknown user or wrong password"
        return "" if self._is_first_use(nonce, clock_s) else "the nonce was used before"

    def _digest(self, nonce: bytes, created: str) -> str:
        content = nonce + created.encode() + self._password.encode()
        return b64encode(hashlib.sha1(content, usedforsecurity=False).digest()).decode()

    def _is_first_use(self, nonce: bytes, clock_s: float) -> bool:
        if nonce in self._seen:
            self.replays += 1
            return False
        # past twice the window Created is refused anyway
        stale = clock_s - 2 * CREATED_WINDOW_S
        self._seen = {known: at for known, at in self._seen.items() if at > stale}
        self._seen[nonce] = clock_s
        return True


def _username_token(body: bytes) -> etree._Element | None:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        envelope = etree.fromstring(body, parser)
    except etree.XMLSyntaxError:
        return None
    return envelope.find(f".//{{{_WSSE}}}UsernameToken")


def _is_recent(created: str, clock_s: float) -> bool:
    try:
        at = datetime.fromisoformat(created)
    except ValueError:
        return False
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return abs(at.timestamp() - clock_s) <= CREATED_WINDOW_S


class DigestGuard:
    """Asks for HTTP digest (qop auth), one `WWW-Authenticate` header for each algorithm.

    A nonce may be used again with a greater count, as RFC 7616 has it; the same count is refused.
    """

    def __init__(self, username: str, password: str, algorithms: tuple[str, ...]) -> None:
        self._username, self._password, self._algorithms = username, password, algorithms
        self._counts: dict[str, int] = {}  # the nonces that were given out, oldest first
        self.replays = 0

    def refusal(self, request: Request) -> Reply | None:
        """None where the request carries the right response; otherwise a 401 that asks for one."""
        header = request.headers.get(b"authorization", b"").decode("latin-1")
        scheme, _, rest = header.partition(" ")
        given = {name.lower(): quoted or bare for name, quoted, bare in _DIRECTIVE.findall(rest)}
        if scheme.lower() != "digest" or not self._is_right(given, request):
            return self._challenge(stale=False)
        return None if self._is_first_use(given) else self._challenge(stale=True)

    def _is_right(self, given: Mapping[str, str], request: Request) -> bool:
        algorithm = given.get("algorithm", "MD5")
        if (
            algorithm not in self._algorithms
            or given.get("username") != self._username
            or given.get("realm") != REALM
            or given.get("qop") != "auth"
            or given.get("uri", "").encode("latin-1") != request.target
        ):
            return False
        return _equal(given.get("response", ""), self._response(algorithm, given, request))

    def _response(self, algorithm: str, given: Mapping[str, str], request: Request) -> str:
        def digest(text: str) -> str:
            return hashlib.new(_HASHES[algorithm], text.encode(), usedforsecurity=False).hexdigest()

        user = digest(f"{self._username}:{REALM}:{self._password}")
        action = digest(f"{request.method.decode('latin-1')}:{given['uri']}")
        fresh = (given.get(name, "") for name in ("nonce", "nc", "cnonce", "qop"))
        return digest(":".join((user, *fresh, action)))

    def _is_first_use(self, given: Mapping[str, str]) -> bool:
        nonce = given.get("nonce", "")
        try:
            count = int(given.get("nc", ""), 16)
        except ValueError:
            return False
        if count <= self._counts.get(nonce, count):  # unknown nonce or a count used before
            self.replays += nonce in self._counts
            return False
        self._counts[nonce] = count
        return True

    def _challenge(self, *, stale: bool) -> Reply:
        nonce = secrets.token_hex(16)
        self._counts[nonce] = 0
        if len(self._counts) > _REMEMBERED_NONCES:
            del self._counts[next(iter(self._counts))]
        end = ", stale=true" if stale else ""
        headers = tuple(
            (
                "WWW-Authenticate",
                f'Digest realm="{REALM}", qop="auth", nonce="{nonce}", algorithm={algorithm}{end}',
            )
            for algorithm in self._algorithms
        )
        return Reply(401, b"", "text/plain", headers)


class BasicGuard:
    """Asks for the password as it is (HTTP basic)."""

    def __init__(self, username: str, password: str) -> None:
        self._right = "Basic " + b64encode(f"{username}:{password}".encode()).decode()

    def refusal(self, request: Request) -> Reply | None:
        """None where the request carries the right password."""
        if _equal(request.headers.get(b"authorization", b"").decode("latin-1"), self._right):
            return None
        return Reply(401, headers=(("WWW-Authenticate", f'Basic realm="{REALM}"'),))


class Lock:
    """Locks the account for half an hour after so many bad passwords; never where that is None."""

    def __init__(self, after: int | None) -> None:
        self._after, self._bad, self._until = after, 0, 0.0

    @property
    def is_closed(self) -> bool:
        """Whether even the right password is refused now."""
        return time.monotonic() < self._until

    def note_bad(self) -> None:
        """A bad password was shown."""
        self._bad += 1
        if self._after is not None and self._bad >= self._after:
            self._bad, self._until = 0, time.monotonic() + LOCKED_S


def _equal(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode(), right.encode())
