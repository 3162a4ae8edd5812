"""The contestants: each module does the same work in its own way, in a process of its own."""
