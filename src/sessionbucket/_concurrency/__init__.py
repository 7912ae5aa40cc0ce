"""The concurrency of each side, written by hand: ``asyncio_`` for the async side, ``threads`` for the sync side.

Both modules have the same names, so that the generator can turn one import into the other.
"""
