"""HTTP's Basic authentication (RFC 7617)."""

import base64


def basic(user: str, password: str) -> str:
    """What the header `Authorization` holds for a user, who may have no colon in the name."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"
