"""What differs between the async source and its sync twin, and cannot be generated."""
