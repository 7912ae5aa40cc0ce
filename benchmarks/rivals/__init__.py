"""The alternatives to sessionbucket, one module each, used as their documentation shows."""
