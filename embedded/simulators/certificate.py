"""A certificate for loopback, signed by itself, and so its own authority."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"
LIFE = timedelta(days=3650)


def keep_certificate(folder: Path) -> tuple[Path, Path]:
    """Files with key and certificate, and with the certificate alone; made where they are not."""
    both, alone = folder / "relay.pem", folder / "relay-ca.pem"
    if not (both.exists() and alone.exists()):
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(key).public_bytes(serialization.Encoding.PEM)
        alone.write_bytes(certificate)
        both.touch(mode=0o600)
        both.write_bytes(_pem(key) + certificate)
    return both, alone


def _certificate(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "relay.example.com")])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LIFE)
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.IPAddress(ip_address(HOST)), x509.DNSName("localhost")]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
