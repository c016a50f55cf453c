# SPDX-License-Identifier: Apache-2.0
"""A certificate authority made on the spot, and certificates issued by it (X.509 v3, RSA 2048)."""
import datetime
import ipaddress
import os
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _write(path, data, account):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "wb") as f:
        f.write(data)
    if account is not None:
        os.chown(path, account.pw_uid, account.pw_gid)


class CertificateAuthority:
    """Files appear in `directory`: NAME-cert.pem and NAME-key.pem for each issued name, ca.pem for the authority."""

    def __init__(self, directory, name="test authority", account=None):
        self.directory = pathlib.Path(directory)
        self.account = account
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._name = _name(name)
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        cert = (self._builder(self._name, self._key.public_key(), datetime.timedelta(days=30))
                .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
                .add_extension(usage, critical=True)
                .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
                .sign(self._key, hashes.SHA256()))
        self.ca = self.directory / "ca.pem"
        _write(self.ca, cert.public_bytes(serialization.Encoding.PEM), account)
        self.ca.chmod(0o644)

    def _builder(self, subject, public_key, lifetime):
        now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
        return (x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(public_key)
                .serial_number(x509.random_serial_number())
                .not_valid_before(now - datetime.timedelta(days=60)).not_valid_after(now + lifetime))

    def issue(self, name, hosts=("localhost", "127.0.0.1", "::1"), lifetime=datetime.timedelta(days=30)):
        """(certificate file, key file); `hosts` are the alternative names, a negative lifetime has expired."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        cert = (self._builder(_name(name), key.public_key(), lifetime)
                .add_extension(x509.SubjectAlternativeName([_general_name(h) for h in hosts]), critical=False)
                .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
                .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
                .sign(self._key, hashes.SHA256()))
        cert_file = self.directory / f"{name}-cert.pem"
        key_file = self.directory / f"{name}-key.pem"
        _write(cert_file, cert.public_bytes(serialization.Encoding.PEM), self.account)
        _write(key_file, key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                           serialization.NoEncryption()), self.account)
        return cert_file, key_file


def _general_name(host):
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
