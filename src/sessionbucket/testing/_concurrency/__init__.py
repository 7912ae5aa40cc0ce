"""The concurrency of each side of this kit, written by hand, with the same names in both modules."""
