"""The stream check against GStreamer's RTSP server: open, basic, digest, by TLS.

It is run by the system's Python with Debian's bindings (`.ci/debian-packages`). It knows digest
with MD5 only; SHA-256 is tried on simulated cameras (`test_stream_check`).
"""

import asyncio
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from collectors.onvif.credentials import CredentialMemory
from collectors.probe import Observation, ProbeMethod, Target
from collectors.rtsp.check import check_stream
from collectors.simulator.bad_certificate import bad_certificate
from kpi.status import Status

Run = Callable[[Any], Any]
PYTHON = "/usr/bin/python3"
SERVER = Path(__file__).with_name("gstreamer_server.py")
USER, PASSWORD = "intact", "秘密-secret"
GUARD_S = 50.0

INTACT, NO_VIDEO = Status.INTACT, Status.NO_VIDEO
AUTH_FAILED, UNKNOWN = Status.AUTH_FAILED, Status.UNKNOWN


@pytest.fixture(scope="module", autouse=True)
def _bindings() -> None:
    """CI installs them and must not skip; elsewhere they may be missing."""
    wanted = "import gi; gi.require_version('GstRtspServer', '1.0')"
    found = subprocess.run([PYTHON, "-c", wanted], check=False, capture_output=True)
    if found.returncode and os.environ.get("CI") != "true":
        pytest.skip("GStreamer's RTSP server is not installed, see .ci/debian-packages")


@contextmanager
def serving(*arguments: str) -> Iterator[int]:
    """GStreamer's server; its port."""
    with subprocess.Popen(
        [PYTHON, str(SERVER), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()


@pytest.fixture(scope="module")
def open_server() -> Iterator[int]:
    with serving("none") as port:
        yield port


async def check(
    port: int,
    path: str,
    password: str | None = None,
    memory: CredentialMemory | None = None,
    scheme: str = "rtsp",
) -> Observation:
    target = Target(
        1,
        "127.0.0.1",
        port,
        ProbeMethod.ONVIF,
        username=USER if password else "",
        password=password or "",
    )
    deadline = asyncio.get_running_loop().time() + GUARD_S
    uri = f"{scheme}://127.0.0.1:{port}{path}"
    return await check_stream(target, uri, deadline, memory or CredentialMemory())


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("/h264", INTACT, "offers video (H264)"),
        ("/jpeg", INTACT, "offers video (JPEG)"),
        ("/audio", NO_VIDEO, "offers a stream without video"),
        ("/elsewhere", NO_VIDEO, "has no such stream (RTSP 404)"),
    ],
)
def test_an_open_server(run: Run, open_server: int, path: str, status: Status, detail: str) -> None:
    seen = run(check(open_server, path))
    assert (seen.status, seen.detail) == (status, detail)


@pytest.mark.parametrize("scheme", ["basic", "digest"])
def test_a_guarded_server(run: Run, scheme: str) -> None:
    with serving(scheme) as port:
        assert run(check(port, "/h264", PASSWORD)).status is INTACT
        assert run(check(port, "/audio", PASSWORD)).status is NO_VIDEO
        assert run(check(port, "/h264")).status is UNKNOWN
        memory = CredentialMemory()
        first, second = (run(check(port, "/h264", "wrong", memory)) for _ in range(2))
        assert first.status is second.status is AUTH_FAILED
        assert "before" in second.detail


def test_a_server_by_tls(run: Run, tmp_path: Path) -> None:
    certificate = tmp_path / "camera.pem"
    certificate.write_bytes(bad_certificate())
    with serving("digest", str(certificate)) as port:
        assert run(check(port, "/h264", PASSWORD, scheme="rtsps")).status is INTACT
