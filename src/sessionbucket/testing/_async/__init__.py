"""The async side of this kit. The sync side is generated from it."""
