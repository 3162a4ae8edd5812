"""Logging in to the pages at a company's own OpenID provider, beside API keys."""
