"""Debian's nginx with the project's own site, as the guide has it installed: only names differ."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.deploy.programs import program

SITE = Path(__file__).parents[2] / "deploy" / "nginx" / "intact.conf"
SERVER_NAME = "intact.example"
WHOLE = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    gzip on;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""
"""What stands around the site; as any account, without rights of its own."""


@dataclass(frozen=True, slots=True)
class Ports:
    """All of loopback: where nginx listens, and what it stands before."""

    http: int
    https: int
    intact: int


def write_configuration(folder: Path, ports: Ports) -> Path:
    """nginx.conf, the site and its certificate in this folder; the file to be named to nginx."""
    write_certificate(folder)
    site = SITE.read_text()
    site = site.replace("/etc/intact/tls/", f"{folder}/").replace("/var/log/nginx/", f"{folder}/")
    site = re.sub(r"listen \[::\]:.*\n", "\n", site)
    site = site.replace("listen 80;", f"listen 127.0.0.1:{ports.http};")
    site = site.replace("listen 443 ssl;", f"listen 127.0.0.1:{ports.https} ssl;")
    site = site.replace("server 127.0.0.1:8000;", f"server 127.0.0.1:{ports.intact};")
    (folder / "site.conf").write_text(site)
    whole = folder / "nginx.conf"
    whole.write_text(WHOLE.format(folder=folder))
    return whole


def write_certificate(folder: Path) -> None:
    """Key and self-signed certificate of the site's name, valid today."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, SERVER_NAME)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(SERVER_NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    (folder / "intact.key").write_bytes(key.private_bytes(pem, form, plain))
    (folder / "intact.crt").write_bytes(certificate.public_bytes(pem))


@contextmanager
def running_proxy(folder: Path, ports: Ports) -> Iterator[None]:
    """nginx over the site, until the end; its error log is in the folder."""
    command = [program("nginx"), "-e", f"{folder}/error.log"]
    process = subprocess.Popen([*command, "-c", str(write_configuration(folder, ports))])
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)
