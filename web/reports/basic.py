"""A user and a password: all that shows who reports, where nothing is signed."""

import hmac

from pydantic import SecretStr

from pipeline.basic_auth import basic
from web.reports.incoming import BadSignature, Incoming, first


class BasicPair:
    """What a caller's `Authorization` must hold (RFC 7617)."""

    def __init__(self, user: str, password: SecretStr) -> None:
        self._user, self._password = user, password
        self.is_set = bool(user and password.get_secret_value())

    def check(self, incoming: Incoming) -> None:
        """Raise BadSignature for anybody else."""
        expected = basic(self._user, self._password.get_secret_value()).encode()
        given = first(incoming.headers, "Authorization")
        # A byte that is no text comes as half of a pair.
        if not hmac.compare_digest(given.encode(errors="replace"), expected):
            raise BadSignature("invalid user or password")
