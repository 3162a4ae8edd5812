"""The source by which Tocsin reads the shop's own topic, beside the catalogue that ships."""

import shutil
from pathlib import Path

SOURCE = """# The shop's orders as Debezium reads them out of its database.
[sources.orders]
topics = ["shop.public.orders"]
format = "debezium+json"
into = "events"
when = "before.status != 'shipped' and after.status == 'shipped'"

[sources.orders.set]
id = "{{ source.name }}/{{ after.id }}/shipped"
type = "order.shipped"
actor = "shop-{{ after.shop_id }}"
occurred_at = "{{ after.changed_at | epoch_us }}"

[sources.orders.set.data]
customer_id = "{{ after.customer_id }}"
order_id = "{{ after.id }}"
carrier = "{{ after.carrier }}"
tracking_number = "{{ after.tracking_number }}"
"""


def with_the_shop(shipped: Path, folder: Path) -> Path:
    """A copy of the catalogue that ships, with the shop's source; the folder is made."""
    shutil.copytree(shipped, folder, ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    (folder / "shop.toml").write_text(SOURCE)
    return folder
