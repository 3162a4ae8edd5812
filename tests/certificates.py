"""Certificates for loopback, and who signs them."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from embedded.process import LOOPBACK

Key = rsa.RSAPrivateKey


class Authority:
    """Signs certificates; its own is what others trust."""

    def __init__(self, folder: Path, name: str = "the authority") -> None:
        self._folder = folder
        self._key = new_key()
        self._name = _named(name)
        self.file = folder / "ca.pem"
        self.file.write_bytes(_pem(self._certificate(self._name, self._key, is_authority=True)))

    def issue(self, name: str, *, ended: bool = False) -> Path:
        """Key and certificate of somebody in one file."""
        key = new_key()
        certificate = self._certificate(_named(name), key, ended=ended)
        file = self._folder / f"{name}.pem"
        file.write_bytes(private_pem(key) + _pem(certificate))
        return file

    def _certificate(
        self, name: x509.Name, key: Key, *, is_authority: bool = False, ended: bool = False
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        until = now - timedelta(hours=1) if ended else now + timedelta(days=1)
        names = [x509.IPAddress(ip_address(LOOPBACK)), x509.DNSName("localhost")]
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=2))
            .not_valid_after(until)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
            .sign(self._key, hashes.SHA256())
        )


def private_pem(key: Key, password: bytes = b"") -> bytes:
    """As files have it, encrypted where there is a password."""
    encryption: Any = (
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption()
    )
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )


def new_key() -> Key:
    """Of 2,048 bits."""
    return rsa.generate_private_key(65537, 2048)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
