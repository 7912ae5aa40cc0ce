from conformance.conftest import clients, location, opener, store

__all__ = ["clients", "location", "opener", "store"]
