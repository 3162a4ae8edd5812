"""The town of these tests."""

from tests.web.opting_out.town import town as town
