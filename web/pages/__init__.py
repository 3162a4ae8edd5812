"""Pages that people see, and what they load."""
