from frameworks.hosts import place, seaweed_proxy

__all__ = ["place", "seaweed_proxy"]
