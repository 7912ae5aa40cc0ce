"""What the obstore buckets of both sides share: options, credentials, stores, what errors and rows mean."""
