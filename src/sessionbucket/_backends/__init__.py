"""Everything particular to one backend: options, clients, requests and errors. Both sides share it."""
