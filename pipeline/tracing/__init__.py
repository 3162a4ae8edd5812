"""Spans of this process, and where they go: nowhere, unless a collector is set."""
