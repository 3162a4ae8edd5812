"""Requests to Amazon's services, signed by botocore; the transport is ours."""

from collections.abc import Mapping

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from pipeline.settings import Settings
from schemas.errors import Misconfigured


class AwsSigner:
    """Signs requests to one service of the account and region in the settings (Signature V4)."""

    def __init__(self, settings: Settings, service: str) -> None:
        self._settings = settings
        key = settings.aws_secret_access_key.get_secret_value()
        # An empty key can't sign; `check` says so before anything is sent.
        credentials = Credentials(settings.aws_access_key_id or "-", key or "-")
        self._auth = SigV4Auth(credentials, service, settings.aws_region or "-")

    def check(self) -> None:
        """Raise Misconfigured where account or region is missing; makes no call."""
        if not self._settings.aws_region:
            raise Misconfigured("TOCSIN_AWS_REGION is not set.")
        if not self._settings.aws_access_key_id:
            raise Misconfigured("TOCSIN_AWS_ACCESS_KEY_ID is not set.")
        if not self._settings.aws_secret_access_key.get_secret_value():
            raise Misconfigured("TOCSIN_AWS_SECRET_ACCESS_KEY is not set.")

    def headers(
        self, url: str, body: bytes, headers: Mapping[str, str], method: str = "POST"
    ) -> dict[str, str]:
        """These headers and those that sign a request of this body, good for five minutes."""
        request = AWSRequest(method, url, dict(headers), body)
        self._auth.add_auth(request)
        return dict(request.headers.items())
