"""The topics that the roles' tests use serve here too."""

from tests.agents.conftest import line as line
