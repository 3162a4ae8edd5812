"""By which ids a log line says what it is about: never by a user's."""

from schemas.delivery import Delivery


def ids_of(delivery: Delivery) -> dict[str, str]:
    """Those of a delivery, and of what it comes from."""
    return {
        "event": delivery.event_id,
        "notification": delivery.notification_id,
        "delivery": delivery.delivery_id,
        "tenant": delivery.tenant,
    }
