"""The dashboard and the operator page."""
