"""The site of these tests."""

from tests.web.pages.bell.site import shop as shop
