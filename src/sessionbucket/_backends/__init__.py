"""How a client of each S3 library is made, kept and closed."""
