"""What receivers of webhooks answer: https://www.standardwebhooks.com, "Webhook delivery".

Any 2xx takes it and 410 wants no more; whatever else a receiver says, it is asked again.
"""

import pytest

from schemas.vocabulary import Reason
from sinks.provider import Outcome, Sent, TransientFailure
from sinks.webhook.standard import outcome_of
from tests.sinks.replies.table import down, gone, ours, reply, throttled

NAME = "the delivery's id"
ODD = Reason.UNREADABLE_REPLY
MEANINGS: dict[int, Outcome] = {
    200: Sent(NAME),
    201: Sent(NAME),
    202: Sent(NAME),
    204: Sent(NAME),
    299: Sent(NAME),
    301: TransientFailure(ODD, "HTTP 301 with 10 bytes not understood"),
    307: TransientFailure(ODD, "HTTP 307 with 10 bytes not understood"),
    400: TransientFailure(ODD, "HTTP 400 with 10 bytes not understood"),
    401: ours("HTTP 401"),
    403: ours("HTTP 403"),
    404: TransientFailure(ODD, "HTTP 404 with 10 bytes not understood"),
    408: TransientFailure(Reason.TIMEOUT, "HTTP 408"),
    409: TransientFailure(ODD, "HTTP 409 with 10 bytes not understood"),
    410: gone("HTTP 410: it wants no more"),
    422: TransientFailure(ODD, "HTTP 422 with 10 bytes not understood"),
    429: throttled("HTTP 429", 15.0),
    500: down("HTTP 500", 15.0),
    502: TransientFailure(Reason.PROVIDER_ERROR, "HTTP 502", 15.0, uncertain=True),
    503: down("HTTP 503", 15.0),
    504: TransientFailure(Reason.PROVIDER_ERROR, "HTTP 504", 15.0, uncertain=True),
}


@pytest.mark.parametrize("status", MEANINGS)
def test_what_each_status_means(status: int) -> None:
    said = reply(status, b"not telling"[:10], {"retry-after": "15"})
    assert outcome_of(said, NAME) == MEANINGS[status]
