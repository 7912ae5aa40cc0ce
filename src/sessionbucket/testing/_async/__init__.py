"""The async side of this kit, from which the sync side is generated."""
