"""The events of the demo, as the services of a shop, a taxi firm and a network would write them."""

from collections.abc import Callable
from random import Random
from typing import Any

from demo.dataset.actors import Cast
from demo.dataset.world import World

Drawn = tuple[str, dict[str, Any]]
"""Actor and data."""

SHOPS = 40
CARRIERS = ("DHL", "UPS", "FedEx", "Royal Mail", "Correios")
THINGS = ("socks", "a teapot", "garden shears", "two novels", "coffee", "a bicycle bell")
CARS = ("white Skoda Octavia", "black Toyota Camry", "grey Dacia Logan", "blue Tesla Model 3")
CURRENCIES = ("EUR", "USD", "GBP", "JPY", "BRL")
STREETS = ("12 Station Road", "Avenida Paulista 900", "Hauptstr. 4", "Shibuya 2-21-1")
TITLES = ("Low tide", "High tide")
"""Posts of each author that get the comments."""
ACTIVITIES = ("Portuguese, lesson 4", "A run", "Chess", "Reading")
WORDS = (
    "The tide is out, so we walked to the island and back before lunch, wet feet and all. "
    "Ciència, 新しい靴, Grüße & 🎉 — bring bread? See you at seven; the door is open."
)


class Events:
    """Draws one event after another, in a fixed mix; the same seed draws the same."""

    def __init__(self, world: World, random: Random) -> None:
        self.cast = Cast(world, random)
        self._random = random
        self._kinds: dict[str, tuple[int, Callable[[int], Drawn]]] = {
            "chat.message": (36, self._chat_message),
            "order.shipped": (23, self._order_shipped),
            "ride.matched": (18, self._ride_matched),
            "post.published": (15, self._post_published),
            "comment.added": (4, self._comment_added),
            "invoice.due": (4, self._invoice_due),
            "code.requested": (3, self._code_requested),
            "cart.left": (8, self._cart_left),
            "activity.recorded": (3, self._activity_recorded),
        }

    def draw(self, number: int) -> tuple[str, Drawn]:
        """The type and contents of the `number`-th event."""
        weights = [weight for weight, _ in self._kinds.values()]
        kind = self._random.choices(tuple(self._kinds), weights)[0]
        return kind, self._kinds[kind][1](number)

    def _chat_message(self, number: int) -> Drawn:
        sender, others = self.cast.conversation()
        data = {
            "recipient_id": others[0] if len(others) == 1 else others,
            "conversation_id": f"conversation-{number}",
            "sender_name": f"{sender} ☺",
            "text": self._text(),
        }
        return sender, data

    def _order_shipped(self, number: int) -> Drawn:
        customer, random = self.cast.customer(), self._random
        data: dict[str, Any] = {
            "customer_id": customer,
            "order_id": f"A-{number:06d}",
            "carrier": random.choice(CARRIERS),
            "tracking_number": f"{random.getrandbits(40):012X}",
        }
        if random.random() < 0.7:
            data["items"] = random.sample(THINGS, random.randint(1, 3))
        if random.random() < 0.5:
            data["tracking_url"] = f"https://track.example/{data['tracking_number']}"
        return f"shop-{random.randrange(SHOPS):02d}", data

    def _ride_matched(self, number: int) -> Drawn:
        (rider, driver), random = self.cast.pair(), self._random
        data = {
            "rider_id": rider,
            "driver_id": driver,
            "ride_id": f"ride-{number}",
            "driver_name": f"Driver of {driver}",
            "rider_name": f"Rider {rider}",
            "car": random.choice(CARS),
            "plate": f"{random.getrandbits(20):05X}",
            "pickup": random.choice(STREETS),
            "eta_minutes": random.randint(1, 15),
        }
        return driver, data

    def _post_published(self, number: int) -> Drawn:
        author = self.cast.author()
        data = {"post_id": f"post-{number}", "author_name": f"{author}", "text": self._text()}
        return author, data

    def _comment_added(self, number: int) -> Drawn:
        author, commenter = self.cast.commented()
        title = self._random.choice(TITLES)
        data = {
            "author_id": author,
            "post_id": f"{title} of {author}",
            "post_title": title,
            "commenter_name": commenter,
            "text": self._text(),
        }
        return commenter, data

    def _invoice_due(self, number: int) -> Drawn:
        random = self._random
        data = {
            "customer_id": self.cast.anyone(),
            "invoice_id": f"I-{number:06d}",
            "amount": f"{random.randint(100, 500_000) / 100:.2f}",
            "currency": random.choice(CURRENCIES),
            "due_on": f"2027-{random.randint(1, 12):02d}-{random.randint(1, 28):02d}",
        }
        return f"shop-{random.randrange(SHOPS):02d}", data

    def _code_requested(self, number: int) -> Drawn:
        user = self.cast.anyone()
        return user, {"user_id": user, "code": f"{self._random.randrange(1_000_000):06d}"}

    def _cart_left(self, number: int) -> Drawn:
        customer = self.cast.anyone()
        items = self._random.sample(THINGS, self._random.randint(1, 3))
        data = {"customer_id": customer, "cart_id": f"cart-{number}", "items": items}
        return f"shop-{self._random.randrange(SHOPS):02d}", data

    def _activity_recorded(self, number: int) -> Drawn:
        user, random = self.cast.anyone(), self._random
        data = {
            "user_id": user,
            "title": random.choice(ACTIVITIES),
            "minutes": random.randint(5, 120),
        }
        return user, data

    def _text(self) -> str:
        start = self._random.randrange(len(WORDS) // 2)
        return WORDS[start : start + self._random.randint(5, len(WORDS) // 2)]
