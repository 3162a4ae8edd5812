"""Somebody who calls the API in one process."""

from tests.web.api.client import client as client
