"""A read-only viewer of a store in the browser."""
