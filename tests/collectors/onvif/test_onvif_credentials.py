# ruff: noqa: S107, S324 - cameras use old hashes, the tests no real passwords
"""Cameras behind a password: who is shown what, how often, and what is remembered."""

import asyncio
import base64
import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.onvif.digest import choose_challenge, digest_authorization
from collectors.onvif.prober import OnvifProber
from collectors.onvif.username_token import password_digest
from collectors.probe import Observation
from kpi.status import Status

Run = Callable[[Any], Any]

_GOOD = (
    b"<Envelope><Body><GetSystemDateAndTimeResponse><SystemDateAndTime/>"
    b"</GetSystemDateAndTimeResponse></Body></Envelope>"
)
_NOT_AUTHORIZED = (
    b'<Envelope xmlns:ter="http://www.onvif.org/ver10/error"><Body><Fault><Code><Value>Sender'
    b"</Value><Subcode><Value>ter:NotAuthorized</Value></Subcode></Code></Fault></Body></Envelope>"
)
_FAULT_11 = (
    b"<Envelope><Body><Fault><faultcode>wsse:FailedAuthentication</faultcode></Fault></Body>"
    b"</Envelope>"
)


def http(code: int, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {code} Some", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def header(request: bytes, name: str) -> str:
    found = re.search(rf"^{name}: (.*)\r$", request.decode(), re.MULTILINE)
    return found[1] if found else ""


def accepts_token(request: bytes, password: str = "secret", clock: datetime | None = None) -> bool:
    """A camera's own check, its clock and a window of five minutes included."""
    text = request.decode()
    if "PasswordDigest" not in text or ":Username>admin<" not in text:
        return False
    sent, nonce, created = (
        re.search(rf":{name}[^>]*>([^<]*)<", text)[1]  # type: ignore[index]  # it is there
        for name in ("Password", "Nonce", "Created")
    )
    expected = hashlib.sha1(base64.b64decode(nonce) + created.encode() + password.encode())
    age = (clock or datetime.now(UTC)) - datetime.strptime(created, "%Y-%m-%dT%H:%M:%S%z")
    return base64.b64decode(sent) == expected.digest() and abs(age) < timedelta(minutes=5)


def accepts_digest(request: bytes, realm: str, nonce: str, algorithm: str, password: str) -> bool:
    """RFC 7616 as a server checks it, written apart from ours."""
    sent = dict(re.findall(r'(\w+)="?([^",]*)"?', header(request, "Authorization")))
    hashed = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[algorithm]

    def digest(*parts: str) -> str:
        return hashed(":".join(parts).encode()).hexdigest()

    expected = digest(
        digest("admin", realm, password),
        nonce,
        sent.get("nc", ""),
        sent.get("cnonce", ""),
        "auth",
        digest("POST", "/onvif/device_service"),
    )
    return sent.get("response") == expected and sent.get("nonce") == nonce


def token_camera(request: bytes) -> bytes:
    return http(200, _GOOD) if accepts_token(request) else http(400, _NOT_AUTHORIZED)


async def observe(
    listening: Any, camera: Any, password: str = "secret", prober: OnvifProber | None = None
) -> tuple[Observation, list[bytes]]:
    async with listening(camera) as server:
        deadline = asyncio.get_running_loop().time() + 5
        target = server.target(username="admin", password=password)
        observation = await (prober or OnvifProber())(target, deadline)
        return observation, server.requests


REFUSALS = {
    "401, empty": http(401),
    "401, HTML": http(401, b"<html>no</html>"),
    "401, fault": http(401, _NOT_AUTHORIZED),
    "401, Basic only": http(401, b"", 'WWW-Authenticate: Basic realm="x"'),
    "400, fault": http(400, _NOT_AUTHORIZED),
    "403, fault": http(403, _NOT_AUTHORIZED),
    "403, empty": http(403),
    "500, fault": http(500, _NOT_AUTHORIZED),
    "200, fault": http(200, _NOT_AUTHORIZED),
    "500, SOAP 1.1 fault": http(500, _FAULT_11),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS.keys())
@pytest.mark.parametrize(
    ("password", "status"), [("secret", Status.INTACT), ("wrong", Status.AUTH_FAILED)]
)
def test_every_form_of_refusal_is_answered_with_a_token(
    run: Run, listening: Any, refusal: bytes, password: str, status: Status
) -> None:
    def camera(request: bytes) -> bytes:
        return http(200, _GOOD) if accepts_token(request) else refusal

    observation, requests = run(observe(listening, [camera], password))
    assert observation.status is status
    assert len(requests) == 2
    assert not header(requests[0], "Authorization")
    assert b"Security" not in requests[0]
    assert password.encode() not in requests[1]


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS.keys())
def test_without_credentials_nothing_is_tried(run: Run, listening: Any, refusal: bytes) -> None:
    async def scenario() -> tuple[Observation, int]:
        async with listening([lambda _: refusal]) as camera:
            deadline = asyncio.get_running_loop().time() + 5
            return await OnvifProber()(camera.target(), deadline), len(camera.requests)

    observation, requests = run(scenario())
    assert observation.status is Status.AUTH_FAILED
    assert requests == 1


def challenge(algorithm: str, nonce: str = "n0nce", extra: str = "") -> str:
    return (
        f'WWW-Authenticate: Digest realm="cam, \u4e2d", qop="auth,auth-int", nonce="{nonce}", '
        f"algorithm={algorithm}{extra}"
    )


@pytest.mark.parametrize(
    ("offered", "expected"),
    [
        (["MD5"], "MD5"),
        (["SHA-256"], "SHA-256"),
        (["MD5", "SHA-256"], "SHA-256"),
        (["SHA-512-256", "MD5"], "MD5"),
    ],
)
def test_http_digest_by_the_best_challenge(
    run: Run, listening: Any, offered: list[str], expected: str
) -> None:
    refusal = http(401, b"", *[challenge(algorithm) for algorithm in offered])

    def camera(request: bytes) -> bytes:
        taken = accepts_digest(request, "cam, \u4e2d", "n0nce", expected, "secret")
        return http(200, _GOOD) if taken else refusal

    observation, requests = run(observe(listening, [camera]))
    assert observation.status is Status.INTACT
    assert f"algorithm={expected}" in header(requests[1], "Authorization")
    assert b"Security" not in requests[1]
    observation, requests = run(observe(listening, [camera], "wrong"))
    assert observation.status is Status.AUTH_FAILED
    assert len(requests) == 2


def test_a_stale_nonce_is_no_wrong_password(run: Run, listening: Any) -> None:
    def camera(request: bytes) -> bytes:
        if accepts_digest(request, "cam, \u4e2d", "second", "MD5", "secret"):
            return http(200, _GOOD)
        if accepts_digest(request, "cam, \u4e2d", "first", "MD5", "secret"):
            return http(401, b"", challenge("MD5", "second", ", stale=true"))
        return http(401, b"", challenge("MD5", "first"))

    observation, requests = run(observe(listening, [camera]))
    assert observation.status is Status.INTACT
    assert len(requests) == 3


def test_stale_for_ever_ends(run: Run, listening: Any) -> None:
    camera = http(401, b"", challenge("MD5", "n", ", stale=true"))
    observation, requests = run(observe(listening, [lambda _: camera]))
    assert observation.status is Status.AUTH_FAILED
    assert len(requests) == 3


def test_a_refused_password_is_not_shown_again_until_it_changes(run: Run, listening: Any) -> None:
    prober = OnvifProber()
    seen = []
    for password in ("wrong", "wrong", "wrong", "secret", "secret"):
        observation, requests = run(observe(listening, [token_camera], password, prober))
        shown = sum(b"UsernameToken" in request for request in requests)
        seen.append((observation.status, shown))
    assert seen == [
        (Status.AUTH_FAILED, 1),
        (Status.AUTH_FAILED, 0),
        (Status.AUTH_FAILED, 0),
        (Status.INTACT, 1),
        (Status.INTACT, 1),
    ]


def test_a_camera_that_fails_otherwise_proves_nothing_about_the_password(
    run: Run, listening: Any
) -> None:
    prober = OnvifProber()

    def broken(request: bytes) -> bytes:
        return http(500, b"oops") if b"UsernameToken" in request else http(401)

    assert run(observe(listening, [broken], prober=prober))[0].status is Status.SERVICE_FAULT
    assert run(observe(listening, [token_camera], prober=prober))[0].status is Status.INTACT


def test_what_worked_is_used_again(run: Run, listening: Any) -> None:
    """It took the token once; later it offers digest too, and the token goes on being used."""
    prober = OnvifProber()

    def later(request: bytes) -> bytes:
        return http(200, _GOOD) if accepts_token(request) else http(401, b"", challenge("MD5"))

    assert run(observe(listening, [token_camera], prober=prober))[0].status is Status.INTACT
    assert run(observe(listening, [later], prober=prober))[0].status is Status.INTACT


def test_created_follows_the_cameras_clock(run: Run, listening: Any) -> None:
    clock = datetime.now(UTC) - timedelta(hours=8)
    date = clock.strftime("Date: %a, %d %b %Y %H:%M:%S GMT")

    def camera(request: bytes) -> bytes:
        taken = accepts_token(request, clock=clock)
        return http(200, _GOOD) if taken else http(401, b"", date)

    assert run(observe(listening, [camera]))[0].status is Status.INTACT


@pytest.mark.parametrize("date", ["nonsense", "Mon, 31 Feb 2026 10:00:00 GMT", "-1"])
def test_an_impossible_date_header_is_ignored(run: Run, listening: Any, date: str) -> None:
    def camera(request: bytes) -> bytes:
        taken = accepts_token(request)
        return http(200, _GOOD) if taken else http(401, b"", f"Date: {date}")

    assert run(observe(listening, [camera]))[0].status is Status.INTACT


def test_each_token_has_a_nonce_of_its_own(run: Run, listening: Any) -> None:
    prober = OnvifProber()
    nonces = {
        re.search(
            rb":Nonce[^>]*>([^<]*)<", run(observe(listening, [token_camera], prober=prober))[1][1]
        )[1]  # type: ignore[index]  # it is there
        for _ in range(3)
    }
    assert len(nonces) == 3


def test_password_digest_is_that_of_the_standard() -> None:
    """The worked example of the ONVIF application programmer's guide."""
    nonce = base64.b64decode("LKqI6G/AikKCQrN0zqZFlg==")
    digest = password_digest(nonce, "2010-09-16T07:50:45Z", "userpassword")
    assert base64.b64encode(digest) == b"tuOSpGlFlIXsozq4HFNeeGeFLEI="


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_examples_of_rfc_7616(algorithm: str, response: str) -> None:
    chosen = choose_challenge(
        [
            'Digest realm="http-auth@example.org", qop="auth, auth-int", '
            f"algorithm={algorithm}, "
            'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
            'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
        ]
    )
    assert chosen is not None
    value = digest_authorization(
        chosen,
        "Mufasa",
        "Circle of Life",
        method="GET",
        uri="/dir/index.html",
        cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    )
    assert f'response="{response}"' in value
    assert 'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"' in value


def test_digest_without_qop_is_that_of_rfc_2069() -> None:
    chosen = choose_challenge(['Digest realm="testrealm@host.com", nonce="dcd98b71"'])
    assert chosen is not None
    value = digest_authorization(chosen, "u", "p", method="POST", uri="/x")
    ha1 = hashlib.md5(b"u:testrealm@host.com:p").hexdigest()
    ha2 = hashlib.md5(b"POST:/x").hexdigest()
    response = hashlib.md5(f"{ha1}:dcd98b71:{ha2}".encode()).hexdigest()
    assert f'response="{response}"' in value
    assert "cnonce" not in value


@pytest.mark.parametrize(
    ("values", "nonce"),
    [
        (['Basic realm="a", Digest realm="b", nonce="n1"'], "n1"),
        (['Digest nonce="n1", algorithm=MD5, Digest nonce="n2", algorithm=SHA-256'], "n2"),
        (['Digest realm="x, Digest nonce=", nonce="n1"'], "n1"),
        (['DIGEST NONCE="n1", ALGORITHM="md5"'], "n1"),
        (['Digest realm="quo\\"ted", nonce=n1'], "n1"),
        (['Digest nonce="n1", qop="auth-int"'], None),
        (['Digest nonce="n1", algorithm=SHA-512-256'], None),
        (['Digest realm="no nonce"'], None),
        (['Digest nonce="a\x00b"'], None),
        (['Basic realm="a"'], None),
        (["Digest"], None),
        ([""], None),
        ([], None),
    ],
)
def test_which_challenge_is_chosen(values: list[str], nonce: str | None) -> None:
    chosen = choose_challenge(values)
    assert (chosen and chosen.nonce) == nonce


@pytest.mark.parametrize(
    "value",
    ["Digest " + "a" * 2**20, '"' + '\\"' * 2**19, "a" + " " * 2**20, 'Digest a="b="\\' * 2**16],
    ids=["a word", "an open quote", "blanks", "quotes"],
)
def test_no_header_is_read_in_more_than_linear_time(value: str) -> None:
    """Hours where the time grows with the square; one such camera would stall the whole sweep."""
    assert choose_challenge([value]) is None


@given(st.lists(st.text(st.characters(max_codepoint=255)) | st.from_regex(r"Digest [a-z=\",]*")))
def test_no_header_at_all_raises(values: list[str]) -> None:
    chosen = choose_challenge(values)
    if chosen is not None:
        value = digest_authorization(chosen, "u", "p", method="POST", uri="/x")
        assert "\n" not in value


def test_a_user_name_cannot_break_out_of_the_header() -> None:
    chosen = choose_challenge(['Digest realm="r", nonce="n"'])
    assert chosen is not None
    value = digest_authorization(
        chosen, 'a"b\r\nX-Evil: 1', "p", method="POST", uri="/x", cnonce="c"
    )
    assert "\r" not in value
    assert "\n" not in value
    assert 'username="a\\"bX-Evil: 1"' in value
