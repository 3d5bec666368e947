"""TLS as cameras have it: a certificate self-signed, out of date, and for another name."""

import functools
import ssl
import tempfile
from datetime import UTC, datetime, timedelta


@functools.cache
def bad_certificate_context() -> ssl.SSLContext:
    """One context for the whole fleet: cameras of a model mostly share their key, too."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:  # `ssl` loads from files only
        file.write(bad_certificate())
        file.flush()
        context.load_cert_chain(file.name)
    return context


def bad_certificate() -> bytes:
    """A key and its certificate (PEM), self-signed and out of date."""
    # heavy to import, and hardly a scenario needs it
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "camera")])
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
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(pem, form, plain) + certificate.public_bytes(pem)
