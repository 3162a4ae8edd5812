"""The person of these tests."""

from tests.web.preferences.person import person as person
