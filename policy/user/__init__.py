"""What is stored about a user, and what of it counts."""
