"""`subscription` in `suppressions` (key: user): one category on a channel, ended or resumed."""

from msgspec import Struct

from schemas.event import Moment, Name
from schemas.vocabulary import Channel


class Subscription(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The user unsubscribed from a category on a channel, or, if `subscribed`, is back.

    It stands beside `preferences`: a later record there, written by an app that knows nothing of
    the click, does not subscribe anybody again. Only `subscribed` does, and then preferences
    count. Transactional types go out all the same. Of two records the later `at` counts.
    """

    user: Name
    category: Name
    channel: Channel
    at: Moment
    subscribed: bool = False
    tenant: Name = "default"
