"""One camera over HTTP, asked with httpx: replies, credentials, oddities."""

import hashlib
import re
import socket
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from collectors.simulator.fleet import Device
from collectors.simulator.picture import HEIGHT, WIDTH
from collectors.simulator.running import RunningFleet
from collectors.simulator.scenario import parse_scenario

SOAP = "http://www.w3.org/2003/05/soap-envelope"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
TOKEN_PROFILE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0"
CLOCK = '<GetSystemDateAndTime xmlns="http://www.onvif.org/ver10/device/wsdl"/>'
INFORMATION = '<GetDeviceInformation xmlns="http://www.onvif.org/ver10/device/wsdl"/>'


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=20, trust_env=False) as client:
        yield client


def _url(camera: Device, path: str = "/onvif/device_service") -> str:
    return f"http://{camera.address}:{camera.port}{path}"


def _envelope(content: str, header: str = "") -> str:
    return (
        f'<s:Envelope xmlns:s="{SOAP}"><s:Header>{header}</s:Header>'
        f"<s:Body>{content}</s:Body></s:Envelope>"
    )


def _ask(
    client: httpx.Client,
    camera: Device,
    content: str = CLOCK,
    header: str = "",
    auth: httpx.Auth | None = None,
) -> httpx.Response:
    return client.post(
        _url(camera),
        content=_envelope(content, header),
        headers={"Content-Type": "application/soap+xml; charset=utf-8"},
        auth=auth or httpx.Auth(),
    )


def _clock(response: httpx.Response) -> datetime:
    """The UTCDateTime of a reply to GetSystemDateAndTime."""
    utc = re.search(r"<tt:UTCDateTime>(.*)</tt:UTCDateTime>", response.text)
    assert utc is not None, response.text
    names = ("Year", "Month", "Day", "Hour", "Minute", "Second")
    values = [re.findall(rf"<tt:{name}>(\d+)<", utc[1])[0] for name in names]
    return datetime.strptime(" ".join(values), "%Y %m %d %H %M %S").replace(tzinfo=UTC)


def _token(
    camera: Device,
    *,
    password: str | None = None,
    username: str | None = None,
    created: datetime | None = None,
    nonce: bytes = b"0123456789abcdef",
    kind: str = "PasswordDigest",
) -> str:
    password = camera.password if password is None else password
    at = (created or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
    digest = hashlib.sha1(nonce + at.encode() + password.encode(), usedforsecurity=False)
    shown = b64encode(digest.digest()).decode() if kind == "PasswordDigest" else password
    return (
        f'<w:Security xmlns:w="{WSSE}" xmlns:u="{WSU}"><w:UsernameToken>'
        f"<w:Username>{camera.username if username is None else username}</w:Username>"
        f'<w:Password Type="{TOKEN_PROFILE}#{kind}">{shown}</w:Password>'
        f"<w:Nonce>{b64encode(nonce).decode()}</w:Nonce><u:Created>{at}</u:Created>"
        "</w:UsernameToken></w:Security>"
    )


def test_a_healthy_camera_tells_its_time(running: RunningFleet, client: httpx.Client) -> None:
    for camera in running.cameras:
        response = _ask(client, camera)
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("application/soap+xml")
        assert abs(_clock(response) - datetime.now(UTC)) < timedelta(seconds=30)


def test_a_wrong_clock_is_told(running: RunningFleet, client: httpx.Client) -> None:
    running.use(parse_scenario("[[fault]]\nkind='clock_skew'\nseconds=-7200\nshare=1\n"))
    off = _clock(_ask(client, running.cameras[0])) - datetime.now(UTC)
    assert abs(off + timedelta(hours=2)) < timedelta(seconds=30)


def test_device_information_is_the_registers(running: RunningFleet, client: httpx.Client) -> None:
    for camera in running.cameras[:2]:
        text = _ask(client, camera, INFORMATION).text
        for value in (camera.vendor, camera.model, camera.firmware, camera.serial):
            assert f">{value}<" in text


def test_the_snapshot_is_a_jpeg(running: RunningFleet, client: httpx.Client) -> None:
    response = client.get(_url(running.cameras[0], "/snapshot.jpg"))
    assert response.status_code == 200
    assert response.headers["content-type"] == "image/jpeg"
    assert response.content.startswith(b"\xff\xd8\xff\xe0")
    assert response.content.endswith(b"\xff\xd9")
    frame = response.content.index(b"\xff\xc0")
    size = response.content[frame + 5 : frame + 9]
    assert size == HEIGHT.to_bytes(2, "big") + WIDTH.to_bytes(2, "big")


WRONG_REQUESTS = [
    ("POST", "/onvif/device_service", b"hello", 400, "ter:WellFormed"),
    (
        "POST",
        "/onvif/device_service",
        _envelope("<GetUsers/>").encode(),
        500,
        "ter:ActionNotSupported",
    ),
    (
        "POST",
        "/onvif/media_service",
        _envelope("<GetStreamUri><ProfileToken>none</ProfileToken></GetStreamUri>").encode(),
        400,
        "ter:NoProfile",
    ),
    ("GET", "/onvif/device_service", b"", 405, ""),
    ("POST", "/snapshot.jpg", b"", 405, ""),
    ("GET", "/", b"", 404, ""),
    ("POST", "/onvif/device_service", b"x" * 70_000, 413, ""),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "code"), WRONG_REQUESTS)
def test_wrong_requests_are_refused(
    running: RunningFleet,
    client: httpx.Client,
    method: str,
    path: str,
    body: bytes,
    status: int,
    code: str,
) -> None:
    response = client.request(method, _url(running.cameras[0], path), content=body)
    assert (response.status_code, code in response.text) == (status, True)


@pytest.mark.parametrize(
    "request_",
    [
        b"\0\1\2 what\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    ],
)
def test_what_it_cannot_speak_ends_the_connection(running: RunningFleet, request_: bytes) -> None:
    with socket.create_connection((running.cameras[0].address, running.port), 20) as connection:
        connection.sendall(request_)
        assert connection.makefile("rb").read().startswith(b"HTTP/1.1 4")


def test_one_connection_serves_many_requests(running: RunningFleet) -> None:
    camera, body = running.cameras[0], _envelope(CLOCK).encode()
    head = f"POST /onvif/device_service HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
    with socket.create_connection((camera.address, running.port), 20) as connection:
        for _ in range(3):
            connection.sendall(head.encode() + b"\r\n" + body)
            assert b"GetSystemDateAndTimeResponse" in connection.recv(65_536)
        connection.sendall(head.encode() + b"Connection: close\r\n\r\n" + body)
        assert b"\r\nConnection: close\r\n" in connection.recv(65_536)
        assert connection.recv(1) == b""


def test_invalid_xml_looks_fine_until_parsed(running: RunningFleet, client: httpx.Client) -> None:
    running.use(parse_scenario("[[fault]]\nkind='invalid_xml'\nshare=1\n"))
    response = _ask(client, running.cameras[0])
    assert response.status_code == 200
    assert "<tt:UTCDateTime>" in response.text
    assert "</s:Envelope>" not in response.text


# --- WS-UsernameToken ---


def _minutes(minutes: int) -> datetime:
    return datetime.now(UTC) + timedelta(minutes=minutes)


TOKENS: list[tuple[Callable[[Device], str], str]] = [
    (lambda camera: _token(camera), ""),
    (lambda camera: _token(camera, created=_minutes(-4)), ""),
    (lambda camera: _token(camera, created=_minutes(4)), ""),
    (lambda camera: "", "a WS-UsernameToken is required"),
    (lambda camera: _token(camera, password="guess"), "wrong password"),
    (lambda camera: _token(camera, username="root"), "unknown user"),
    (lambda camera: _token(camera, kind="PasswordText"), "PasswordDigest"),
    (lambda camera: _token(camera, created=_minutes(-6)), "not within five minutes"),
    (lambda camera: _token(camera, created=_minutes(6)), "not within five minutes"),
    (lambda c: re.sub("Created>[^<]*<", "Created>now<", _token(c)), "not within five minutes"),
    (lambda c: re.sub("Nonce>[^<]*<", "Nonce>é<", _token(c)), "the nonce is not base64"),
]


@pytest.mark.parametrize(("token", "refusal"), TOKENS)
def test_tokens(
    running: RunningFleet, client: httpx.Client, token: Callable[[Device], str], refusal: str
) -> None:
    """An empty `refusal` is a token that is accepted."""
    running.use(parse_scenario("[[fault]]\nkind='auth'\nscheme='ws_token'\nshare=1\n"))
    camera = running.cameras[0]
    response = _ask(client, camera, INFORMATION, token(camera))
    if refusal:
        assert response.status_code == 400
        assert "ter:NotAuthorized" in response.text
        assert refusal in response.text
    else:
        assert response.status_code == 200
        assert camera.serial in response.text


def test_a_nonce_is_good_once(running: RunningFleet, client: httpx.Client) -> None:
    running.use(parse_scenario("[[fault]]\nkind='auth'\nscheme='ws_token'\nshare=1\n"))
    camera = running.cameras[0]
    token = _token(camera)
    assert _ask(client, camera, CLOCK, token).status_code == 200
    assert "was used before" in _ask(client, camera, CLOCK, token).text
    assert _ask(client, camera, CLOCK, _token(camera, nonce=b"another")).status_code == 200


def test_created_follows_the_cameras_own_clock(running: RunningFleet, client: httpx.Client) -> None:
    running.use(
        parse_scenario(
            "[[fault]]\nkind='auth'\nscheme='ws_token'\nshare=1\n"
            "[[fault]]\nkind='clock_skew'\nseconds=3600\nshare=1\n"
        )
    )
    camera = running.cameras[0]
    assert _ask(client, camera, CLOCK, _token(camera)).status_code == 400
    shifted = _token(camera, created=datetime.now(UTC) + timedelta(hours=1))
    assert _ask(client, camera, CLOCK, shifted).status_code == 200


@pytest.mark.parametrize("scheme", ["ws_token", "http_digest"])
def test_the_clock_can_be_left_open(
    running: RunningFleet, client: httpx.Client, scheme: str
) -> None:
    running.use(
        parse_scenario(f"[[fault]]\nkind='auth'\nscheme='{scheme}'\nclock_open=true\nshare=1\n")
    )
    assert _ask(client, running.cameras[0]).status_code == 200
    assert _ask(client, running.cameras[0], INFORMATION).status_code in (400, 401)


# --- HTTP digest ---


@pytest.mark.parametrize("algorithms", [["MD5"], ["SHA-256"], ["MD5", "SHA-256"]])
def test_digest(running: RunningFleet, client: httpx.Client, algorithms: list[str]) -> None:
    running.use(
        parse_scenario(
            f"[[fault]]\nkind='auth'\nscheme='http_digest'\nalgorithms={algorithms}\nshare=1\n"
        )
    )
    camera = running.cameras[0]
    refused = _ask(client, camera)
    challenges = refused.headers.get_list("www-authenticate")
    assert refused.status_code == 401
    assert [re.findall(r"algorithm=(\S+)", c)[0] for c in challenges] == algorithms
    auth = httpx.DigestAuth(camera.username, camera.password)
    assert _ask(client, camera, auth=auth).status_code == 200
    assert _ask(client, camera, auth=auth).status_code == 200  # same nonce, next count
    wrong = httpx.DigestAuth(camera.username, "guess")
    assert _ask(client, camera, auth=wrong).status_code == 401


def test_a_digest_response_is_good_once(running: RunningFleet, client: httpx.Client) -> None:
    running.use(parse_scenario("[[fault]]\nkind='auth'\nscheme='http_digest'\nshare=1\n"))
    camera = running.cameras[0]
    good = _ask(client, camera, auth=httpx.DigestAuth(camera.username, camera.password))
    assert good.status_code == 200
    replayed = client.send(good.request)
    assert replayed.status_code == 401
    assert "stale=true" in replayed.headers["www-authenticate"]


def test_the_snapshot_is_behind_digest_too(running: RunningFleet, client: httpx.Client) -> None:
    running.use(parse_scenario("[[fault]]\nkind='auth'\nscheme='ws_token'\nshare=1\n"))
    camera = running.cameras[0]
    url = _url(camera, "/snapshot.jpg")
    assert client.get(url).status_code == 401
    auth = httpx.DigestAuth(camera.username, camera.password)
    assert client.get(url, auth=auth).headers["content-type"] == "image/jpeg"


@pytest.mark.parametrize(("scheme", "status"), [("ws_token", 400), ("http_digest", 401)])
def test_wrong_password_refuses_the_registers(
    running: RunningFleet, client: httpx.Client, scheme: str, status: int
) -> None:
    running.use(parse_scenario(f"[[fault]]\nkind='wrong_password'\nscheme='{scheme}'\nshare=1\n"))
    camera = running.cameras[0]
    auth = httpx.DigestAuth(camera.username, camera.password)
    assert _ask(client, camera, CLOCK, _token(camera), auth).status_code == status
