"""Amazon's request signatures, checked as Amazon does it: made again, and compared."""

import hmac
import re

from aiohttp import web
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)"
    r"/aws4_request, SignedHeaders=(?P<headers>[^,]+), Signature=(?P<signature>[0-9a-f]{64})"
)


class AwsAccount:
    """One access key of one region."""

    def __init__(self, access_key_id: str, secret_access_key: str, region: str) -> None:
        self.access_key_id = access_key_id
        self.region = region
        self._credentials = Credentials(access_key_id, secret_access_key)

    def problem_of(self, request: web.Request, body: bytes, service: str) -> str | None:
        """The error's name for a request that is not ours to answer; None for one that is."""
        match = _AUTHORIZATION.fullmatch(request.headers.get("Authorization", ""))
        if match is None:
            return "MissingAuthenticationTokenException"
        if match["key"] != self.access_key_id:
            return "UnrecognizedClientException"
        if (match["region"], match["service"]) != (self.region, service):
            return "InvalidSignatureException"
        headers = {name: request.headers.get(name, "") for name in match["headers"].split(";")}
        again = AWSRequest(request.method, str(request.url), headers, body)
        again.context["timestamp"] = request.headers.get("X-Amz-Date", "")
        auth = SigV4Auth(self._credentials, service, self.region)
        canonical = auth.canonical_request(again)
        expected = auth.signature(auth.string_to_sign(again, canonical), again)
        if hmac.compare_digest(expected, match["signature"]):
            return None
        return "InvalidSignatureException"
