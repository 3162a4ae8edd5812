"""What is known of a user, and what of it counts."""
