"""Rules without I/O, which every layer below uses."""
