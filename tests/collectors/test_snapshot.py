"""The snapshot: its figures, and what is wrong with it; on simulated and scripted cameras."""

import asyncio
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.onvif.credentials import CredentialMemory
from collectors.picture import size_of
from collectors.probe import ProbeMethod, Target
from collectors.simulator.picture import HEIGHT, WIDTH, encode, snapshot
from collectors.simulator.running import RunningFleet, running_fleet
from collectors.simulator.scenario import parse_scenario
from collectors.snapshot import MAX_PICTURE_BYTES, Snapshot, snapshot_client
from tests.collectors.conftest import Listening

Run = Callable[[Any], Any]
GUARD_S = 20.0
SHORT_S = 0.5
IHDR = b"IHDR" + (640).to_bytes(4, "big") + (360).to_bytes(4, "big") + b"\x08\0\0\0\0"
PNG = b"\x89PNG\r\n\x1a\n" + (13).to_bytes(4, "big") + IHDR + zlib.crc32(IHDR).to_bytes(4, "big")
JPEG = snapshot()


@pytest.mark.parametrize(
    ("head", "size"),
    [
        (JPEG, (WIDTH, HEIGHT)),
        (encode(240, 135, [128] * 240 * 135), (1920, 1080)),
        (PNG, (640, 360)),
        (JPEG[:2] + b"\xff\xe1\xff\xff" + b"\0" * 65_533 + JPEG[2:], (WIDTH, HEIGHT)),
        (JPEG[:2] + b"\xff\xff" + JPEG[2:], (WIDTH, HEIGHT)),
        (JPEG[:2] + b"\xff\x01" + JPEG[2:], (WIDTH, HEIGHT)),
        (JPEG[:20], None),
        (PNG[:20], None),
        (b"\xff\xd8\xff\xe0\0\0" * 100, None),
        (b"<html></html>", None),
        (b"GIF89a", None),
        (b"", None),
    ],
)
def test_size_of_a_picture(head: bytes, size: tuple[int, int] | None) -> None:
    assert size_of(head) == size


@given(st.sampled_from([JPEG, PNG]), st.integers(0, 300), st.binary(max_size=40))
def test_any_bytes_are_looked_at(picture: bytes, at: int, noise: bytes) -> None:
    size = size_of(picture[:at] + noise + picture[at + len(noise) :])
    assert size is None or min(size) > 0


@pytest.fixture(scope="module")
def fleet() -> Iterator[RunningFleet]:
    with running_fleet(cameras=1, rooms=1) as running:
        yield running


def target_of(fleet: RunningFleet) -> Target:
    camera = fleet.cameras[0]
    return Target(
        1,
        camera.address,
        fleet.port,
        ProbeMethod.ONVIF,
        username=camera.username,
        password=camera.password,
    )


async def look(
    target: Target, uri: str, memory: CredentialMemory | None = None, timeout_s: float = GUARD_S
) -> Snapshot:
    deadline = asyncio.get_running_loop().time() + timeout_s
    async with snapshot_client(memory or CredentialMemory()) as client:
        return await client.look(target, uri, deadline)


def uri_of(fleet: RunningFleet, scheme: str = "http", host: str = "") -> str:
    return f"{scheme}://{host or fleet.cameras[0].address}:{fleet.port}/snapshot.jpg"


GOOD = Snapshot(WIDTH, HEIGHT, len(JPEG))


@pytest.mark.parametrize(
    "faults",
    [
        "",
        "[[fault]]\nkind='auth'\nscheme='http_digest'\nshare=1.0\n",
        "[[fault]]\nkind='auth'\nscheme='http_digest'\nalgorithms=['SHA-256']\nshare=1.0\n",
        "[[fault]]\nkind='auth'\nscheme='ws_token'\nshare=1.0\n",
        "[[fault]]\nkind='http_1_0'\nshare=1.0\n",
        "[[fault]]\nkind='chunked'\nshare=1.0\n",
    ],
    ids=["open", "digest", "SHA-256", "token", "HTTP/1.0", "chunked"],
)
def test_figures_of_a_snapshot(run: Run, fleet: RunningFleet, faults: str) -> None:
    fleet.use(parse_scenario(faults))
    assert run(look(target_of(fleet), uri_of(fleet))) == GOOD


def test_another_host_is_asked_at_the_cameras_own_address(run: Run, fleet: RunningFleet) -> None:
    fleet.use(parse_scenario(""))
    assert run(look(target_of(fleet), uri_of(fleet, host="127.0.0.254"))) == GOOD


def test_tls_where_the_address_says_so(run: Run, fleet: RunningFleet) -> None:
    fleet.use(parse_scenario("[[fault]]\nkind='bad_certificate'\nshare=1.0\n"))
    assert run(look(target_of(fleet), uri_of(fleet, "https"))) == GOOD
    assert not run(look(target_of(fleet), uri_of(fleet))).is_there


@pytest.mark.parametrize(
    ("faults", "detail"),
    [
        ("kind='wrong_password'\nscheme='http_digest'", "refuses"),
        ("kind='redirect'", "HTTP 302"),
        ("kind='html_page'", "no picture"),
        ("kind='empty_body'", "no picture"),
        ("kind='refused'", "cannot be fetched"),
        ("kind='reset'", "cannot be fetched"),
        ("kind='truncated_body'", "cannot be fetched"),
        ("kind='endless_headers'", "cannot be fetched"),
        ("kind='hang'", "not finished in time"),
        ("kind='slow_drip'", "not finished in time"),
    ],
)
def test_no_snapshot(run: Run, fleet: RunningFleet, faults: str, detail: str) -> None:
    fleet.use(parse_scenario(f"[[fault]]\n{faults}\nshare=1.0\n"))
    memory = CredentialMemory()
    timeout_s = SHORT_S if "time" in detail else GUARD_S
    seen = run(look(target_of(fleet), uri_of(fleet), memory, timeout_s))
    assert not seen.is_there
    assert detail in seen.detail
    run(look(target_of(fleet), uri_of(fleet), memory, timeout_s))
    assert fleet.attempts(fleet.cameras[0]).bad <= 1


def test_an_address_of_another_kind(run: Run, fleet: RunningFleet) -> None:
    assert run(look(target_of(fleet), "ftp://127.0.0.1/x")).detail.endswith("no HTTP address")


BASIC = b'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n'


def picture(request: bytes) -> bytes:
    """The picture for the right password, with a cookie that must not come back."""
    if b"Authorization: Basic dTpw" not in request or b"Cookie" in request:
        return BASIC
    head = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: %d\r\n\r\n" % len(PNG)
    return head + PNG


def test_basic_without_cookies(run: Run, listening: Listening) -> None:
    async def scene() -> list[Snapshot]:
        async with listening(picture) as camera:
            target = replace(camera.target(), username="u", password="p")
            deadline = asyncio.get_running_loop().time() + GUARD_S
            async with snapshot_client(CredentialMemory()) as client:
                uri = f"http://127.0.0.1:{camera.port}/x"
                return [await client.look(target, uri, deadline) for _ in range(2)]

    assert run(scene()) == [Snapshot(640, 360, len(PNG))] * 2


@pytest.mark.parametrize("realm", ["网络摄像机".encode(), "网络摄像机".encode("gb18030"), b"\xff"])
def test_a_realm_goes_back_as_it_came(run: Run, listening: Listening, realm: bytes) -> None:
    challenge = b'Digest realm="%b", nonce="n", qop="auth"' % realm
    refusal = b"HTTP/1.1 401 No\r\nWWW-Authenticate: %b\r\nContent-Length: 0\r\n\r\n" % challenge

    async def scene() -> bytes:
        async with listening(refusal) as camera:
            target = replace(camera.target(), username="用户", password="密码")
            await look(target, f"http://127.0.0.1:{camera.port}/x")
            return camera.requests[-1]

    assert b'realm="%b"' % realm in run(scene())


def test_a_picture_without_end(run: Run, listening: Listening) -> None:
    whole = b"HTTP/1.1 200 OK\r\n\r\n" + JPEG + b"\0" * MAX_PICTURE_BYTES

    async def scene() -> Snapshot:
        async with listening([whole, "open"]) as camera:
            return await look(camera.target(), f"http://127.0.0.1:{camera.port}/x")

    assert run(scene()).detail == "its snapshot is too large"
