"""ONVIF over TLS: taken unverified, only where the register says so."""

import asyncio
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from collectors.onvif.prober import OnvifProber
from collectors.probe import Observation
from kpi.status import Status

Run = Callable[[Any], Any]

_BODY = b"<Envelope><Body><GetSystemDateAndTimeResponse/></Body></Envelope>"
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(_BODY), _BODY)


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """As cameras have it: self-signed, for another name, and out of date."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "camera")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=20))
        .not_valid_after(now - timedelta(days=10))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    form = serialization.PrivateFormat.TraditionalOpenSSL
    file: Path = tmp_path_factory.mktemp("tls") / "camera.pem"
    file.write_bytes(
        key.private_bytes(pem, form, serialization.NoEncryption()) + certificate.public_bytes(pem)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


async def observe(listening: Any, script: Any, served: ssl.SSLContext | None, **target: Any) -> Any:
    async with listening(script, tls=served) as camera:
        deadline = asyncio.get_running_loop().time() + 1
        return await OnvifProber()(camera.target(**target), deadline)


@pytest.mark.parametrize(
    ("script", "status"),
    [
        ([_ANSWER], Status.INTACT),
        ([_ANSWER, "open"], Status.INTACT),
        ("hang", Status.TIMEOUT),
        ("close", Status.SERVICE_FAULT),
    ],
)
def test_over_tls(
    run: Run, listening: Any, tls: ssl.SSLContext, script: Any, status: Status
) -> None:
    observation: Observation = run(observe(listening, script, tls, tls=True))
    assert observation.status is status


@pytest.mark.parametrize(
    ("script", "status"),
    [([_ANSWER], Status.TIMEOUT), (["hang"], Status.TIMEOUT), ("reset", Status.SERVICE_FAULT)],
    ids=["waits for HTTP", "hangs", "resets"],
)
def test_tls_where_the_camera_has_none(
    run: Run, listening: Any, script: Any, status: Status
) -> None:
    assert run(observe(listening, script, None, tls=True)).status is status


def test_no_tls_where_the_camera_wants_it(run: Run, listening: Any, tls: ssl.SSLContext) -> None:
    observation: Observation = run(observe(listening, [_ANSWER], tls))
    assert observation.status is Status.SERVICE_FAULT
