"""An address is shown so that it can be told from others, and not used."""

import pytest

from policy.contact.masking import masked
from schemas.vocabulary import Channel


@pytest.mark.parametrize(
    ("channel", "address", "shown"),
    [
        (Channel.INAPP, "ann", "ann"),
        (Channel.EMAIL, "ann@example.com", "a***@example.com"),
        (Channel.EMAIL, "@example.com", "***@example.com"),
        (Channel.EMAIL, "ann@work@example.com", "a***@example.com"),
        (Channel.EMAIL, "annabel", "…bel"),
        (Channel.SMS, "+4915112345", "…2345"),
        (Channel.SMS, "a@b.example", "…mple"),
        (Channel.PUSH, "12345678", "…5678"),
        (Channel.PUSH, "1234567", "…567"),
        (Channel.PUSH, "123", "…3"),
        (Channel.PUSH, "1", "…"),
        (Channel.PUSH, "", "…"),
        (Channel.PUSH, "apns:0123456789", "…6789"),
        (Channel.CHAT, "telegram:-100123/7", "telegram:…"),
        (Channel.CHAT, "slackapp:C012", "slackapp:…"),
        (Channel.CHAT, "whatsapp:+4915112345678", "whatsapp:…"),
        (Channel.CHAT, "slack:https://hooks.slack.com/services/T/B/secret", "slack:…"),
        (Channel.WEBHOOK, "https://shop.example.com/hooks/secret?key=1", "https://shop.example.com/…"),
        (Channel.WEBHOOK, "https://user:word@shop.example.com:8443/", "https://shop.example.com/…"),
        (Channel.WEBHOOK, "nowhere", "https:///…"),
    ],
)  # fmt: skip
def test_what_is_shown_of_an_address(channel: Channel, address: str, shown: str) -> None:
    assert masked(channel, address) == shown
