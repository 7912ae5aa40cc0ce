"""A folder that mirrors a bucket key for key.

Its promises rest on POSIX: ``rename`` is atomic within a file system, and ``flock`` locks end with their process.
The code is synchronous; the async bucket runs it in threads.
"""

from sessionbucket._backends.file.folder import Folder

__all__ = ["Folder"]
