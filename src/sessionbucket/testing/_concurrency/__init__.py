"""What differs between the two sides of this kit, and cannot be generated."""
