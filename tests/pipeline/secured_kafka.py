"""A Kafka that lets nobody in who can't say who he is, and what he needs for that.

Beside the listener in the clear, by which it is looked after, it has one for passwords and tokens
and one for certificates, both behind TLS.
"""

import base64
import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs

import jwt
from confluent_kafka.admin import (
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from jwt.algorithms import RSAAlgorithm

from embedded.kafka import Kafka
from embedded.kafka_format import CLUSTER_ID
from embedded.process import LOOPBACK, Child, free_port
from tests.certificates import Authority, new_key
from tests.patience import PATIENCE

PASSWORD = "sesame-open"
MODULES = "org.apache.kafka.common.security"
KEY_ID = "first"
AUDIENCE = "kafka"


class SecuredKafka(Kafka):
    """It knows alice by her password, and whoever the authority or the token server vouches for.

    With `has_rules` they may do what rules allow; in the clear everything is allowed.
    """

    def __init__(
        self, folder: Path, authority: Authority, keys_url: str, *, has_rules: bool = False
    ) -> None:
        allowed = f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={keys_url}"
        super().__init__(folder, options=(allowed,))
        self._authority, self._keys_url = authority, keys_url
        self._has_rules = has_rules
        self.trusted = authority.file
        """Who vouches for it."""
        self.login = f"{LOOPBACK}:{free_port()}"
        """Where passwords and tokens count."""
        self.mutual = f"{LOOPBACK}:{free_port()}"
        """Where certificates count."""

    def _properties(self) -> str:
        own = dict(line.split("=", 1) for line in super()._properties().splitlines())
        more = f"LOGIN://{self.login},MUTUAL://{self.mutual}"
        plain = f'{MODULES}.plain.PlainLoginModule required user_alice="{PASSWORD}";'
        own["listeners"] += f",{more}"
        own["advertised.listeners"] += f",{more}"
        own["listener.security.protocol.map"] += ",LOGIN:SASL_SSL,MUTUAL:SSL"
        server = self._authority.issue("broker")
        own |= {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(server),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self._authority.file),
            "listener.name.mutual.ssl.client.auth": "required",
            "listener.name.login.sasl.enabled.mechanisms": (
                "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER"
            ),
            "listener.name.login.plain.sasl.jaas.config": plain,
            "listener.name.login.oauthbearer.sasl.jaas.config": (
                f"{MODULES}.oauthbearer.OAuthBearerLoginModule required;"
            ),
            "listener.name.login.oauthbearer.sasl.server.callback.handler.class": (
                f"{MODULES}.oauthbearer.OAuthBearerValidatorCallbackHandler"
            ),
            "listener.name.login.oauthbearer.sasl.oauthbearer.jwks.endpoint.url": self._keys_url,
            "listener.name.login.oauthbearer.sasl.oauthbearer.expected.audience": AUDIENCE,
            "listener.name.login.oauthbearer.connections.max.reauth.ms": "3600000",
        }
        if self._has_rules:
            own["authorizer.class.name"] = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
            own["super.users"] = "User:ANONYMOUS"
        for mechanism in ("scram-sha-256", "scram-sha-512"):
            own[f"listener.name.login.{mechanism}.sasl.jaas.config"] = (
                f"{MODULES}.scram.ScramLoginModule required;"
            )
        return "".join(f"{name}={value}\n" for name, value in own.items())

    async def prepare(self) -> Path:
        """Write its properties, and format its folder with alice in it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        properties = self.folder / "server.properties"
        properties.write_text(self._properties())
        formatting = Child("Formatting Kafka's folder")
        options = ["--cluster-id", CLUSTER_ID, "--ignore-formatted"]
        for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
            options += ["--add-scram", f"{mechanism}=[name=alice,password={PASSWORD}]"]
        argv = [*await self._program(), "kafka.tools.StorageTool", "format", *options]
        await formatting.run([*argv, "--config", str(properties)], {}, self.log_path)
        return properties

    def set_password(self, user: str, password: str) -> None:
        """Of SCRAM-SHA-512; the user's former one counts no longer for whoever connects."""
        admin = AdminClient({"bootstrap.servers": self.address})
        of = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        changes = [UserScramCredentialUpsertion(user, of, password.encode())]
        for done in admin.alter_user_scram_credentials(changes).values():
            done.result(PATIENCE)


class TokenServer(ThreadingHTTPServer):
    """Gives tokens for a client's id and secret, and the key by which Kafka knows them."""

    def __init__(self, certificate: Path | None = None) -> None:
        super().__init__((LOOPBACK, 0), Tokens)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.key = new_key()
        self.asked: list[dict[str, list[str]]] = []
        self.life = 300
        scheme = "https" if certificate else "http"
        self.url = f"{scheme}://{LOOPBACK}:{self.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class Tokens(BaseHTTPRequestHandler):
    """Its answers."""

    server: TokenServer

    def do_GET(self) -> None:
        """The public key, as RFC 7517 has it."""
        key = json.loads(RSAAlgorithm.to_jwk(self.server.key.public_key()))
        self._answer(200, {"keys": [key | {"kid": KEY_ID, "alg": "RS256", "use": "sig"}]})

    def do_POST(self) -> None:
        """A token, as RFC 6749 has it."""
        form = self.rfile.read(int(self.headers["content-length"])).decode()
        self.server.asked.append(parse_qs(form))
        kind, _, said = self.headers["authorization"].partition(" ")
        if (kind, base64.b64decode(said).decode()) != ("Basic", f"alice:{PASSWORD}"):
            self._answer(401, {"error": "invalid_client"})
            return
        now = int(time.time())
        claims = {"sub": "alice", "aud": AUDIENCE, "iat": now, "exp": now + self.server.life}
        token = jwt.encode(claims, self.server.key, "RS256", {"kid": KEY_ID})
        self._answer(200, {"access_token": token, "expires_in": self.server.life})

    def _answer(self, status: int, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
