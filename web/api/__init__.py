"""The HTTP API: every route, what it takes, what it answers and who may call it."""
