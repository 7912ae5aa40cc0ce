"""What a user might pick instead, one module each, used as its documentation shows."""
