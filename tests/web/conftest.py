"""The topics that the roles' tests use serve here too, and a house with the web process."""

from tests.agents.conftest import line as line
from tests.web.house import api as api
