"""A process that sends by apprise, and ends: its 200 modules would stay in a server's memory.

One line of JSON comes in: `address`, and unless that is only to be checked, `title`, `text`, `type`
(one of apprise's). One line of JSON goes out: `error`, what went wrong, or null. Whoever starts it
sets its environment and its deadline (see `apprising`).

Read in apprise 2.3, and mended here: `requests` follows redirects and reads answers without an end;
DingTalk and WeCom refuse with status 200 and an `errcode` that apprise does not look at; the hosts
of DingTalk, WeCom and Feishu are fixed, and a closed network reaches them by a gateway, which an
address names as `?gateway=https://host`.
"""

import json
import logging
import re
import resource
import sys
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

import apprise
import requests

ANSWER_LENGTH = 64 * 1024
MEMORY = 768 * 1024 * 1024
GATEWAY = "gateway"
TELLS_BY_CODE = {"dingtalk": "errcode", "wecombot": "errcode", "feishu": "code", "lark": "code"}
ONE_REQUEST_FOR_ALL = {"dingtalk"}
"""Their targets are people mentioned in one message."""
SHORTEST_SECRET = 3


class Session(requests.Session):
    """What apprise's plugins send by: no redirects, short answers, by way of the gateway."""

    gateway: str | None = None
    answers: list[bytes]

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        if self.gateway:
            official, ours = urlsplit(str(request.url)), urlsplit(self.gateway)
            path = ours.path.rstrip("/") + official.path
            request.url = urlunsplit((ours.scheme, ours.netloc, path, official.query, ""))
        answer = super().send(request, **options | {"allow_redirects": False, "stream": True})
        answer._content = answer.raw.read(ANSWER_LENGTH, decode_content=True)
        self.answers.append(answer._content or b"")
        return answer


class Heard(logging.Handler):
    """What apprise says of a failure; the reason of a lost connection it says to debuggers only."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.levelno >= logging.WARNING or text.startswith("Socket Exception"):
            self.said.append(" ".join(text.split()))


def main() -> None:
    """Do what standard input asks for."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    asked = json.loads(sys.stdin.readline())
    heard = Heard()
    logger = logging.getLogger("apprise")
    logger.setLevel(logging.DEBUG)
    logger.addHandler(heard)
    logger.propagate = False
    try:
        error = attempt(asked, heard)
    except Exception as wrong:  # a plugin's mistake is the message's, not ours
        error = f"{type(wrong).__name__}: {wrong}"
    if error is not None:
        error = without_secrets(error, asked["address"])
    print(json.dumps({"error": error}))


def attempt(asked: dict[str, Any], heard: Heard) -> str | None:
    """Check the address, and send where there is something to send."""
    address, gateway = split_gateway(asked["address"])
    Session.gateway, Session.answers = gateway, []
    requests.sessions.Session = Session  # type: ignore[misc]
    asset = apprise.AppriseAsset(app_id="Intact", app_desc="Intact", http_redirects=False)
    plugin = apprise.Apprise.instantiate(address, asset=asset)
    if not isinstance(plugin, apprise.NotifyBase):
        return "; ".join(heard.said) or "the address cannot be read"
    scheme = urlsplit(address).scheme.lower()
    if len(plugin) > 1 and scheme not in ONE_REQUEST_FOR_ALL:
        return "the address names several receivers; make a recipient for each"
    if "text" not in asked:
        return None
    sender = apprise.Apprise(asset=asset)
    sender.add(plugin)
    kind = apprise.NotifyType(asked["type"])
    plain = apprise.NotifyFormat.TEXT
    if not sender.notify(asked["text"], asked["title"], kind, body_format=plain):
        return "; ".join(heard.said) or "it was not accepted"
    return refusal(TELLS_BY_CODE.get(scheme), Session.answers)


def refusal(field: str | None, answers: list[bytes]) -> str | None:
    """What an answer of status 200 says against the message, where the service tells by a code."""
    for answer in answers if field else ():
        try:
            told = json.loads(answer)
        except ValueError:
            return "the answer is not that of the service; is it a sign-in page of the network?"
        if isinstance(told, dict) and told.get(field or "", 0) != 0:
            return f"{field} {told[field or '']}: {told.get('errmsg') or told.get('msg') or ''}"
    return None


def split_gateway(address: str) -> tuple[str, str | None]:
    """The address without our own parameter, and what that says."""
    parts = urlsplit(address)
    query = parse_qsl(parts.query, keep_blank_values=True)
    gateway = next((value for name, value in query if name == GATEWAY), None)
    if gateway is None:
        return address, None
    if urlsplit(gateway).scheme not in ("http", "https") or not urlsplit(gateway).netloc:
        raise ValueError("gateway must be http://HOST or https://HOST")
    rest = urlencode([(name, value) for name, value in query if name != GATEWAY])
    return urlunsplit(parts._replace(query=rest)), gateway


def without_secrets(text: str, address: str) -> str:
    """The text without any part of the address: each may be a password or a token."""
    for part in sorted(secret_parts(address), key=len, reverse=True):
        text = re.sub(re.escape(part), "…", text, flags=re.IGNORECASE)
    return text


def secret_parts(address: str) -> set[str]:
    """Users, passwords, hosts, tokens and what stands in the query, but not its names."""
    parts = urlsplit(address if "://" in address else f"://{address}")
    values = [value for _name, value in parse_qsl(parts.query)]
    found = re.split(r"[/?&=@:#]+", "/".join((parts.netloc, parts.path, parts.fragment)))
    words = [word for value in values for word in re.split(r"[/?&=@:#]+", value)]
    pieces = {piece.strip() for piece in (*found, *values, *words)}
    pieces |= {unquote(piece) for piece in pieces} | {quote(piece, safe="") for piece in pieces}
    return {piece for piece in pieces if len(piece) >= SHORTEST_SECRET} - {"http", "https"}


if __name__ == "__main__":
    main()
