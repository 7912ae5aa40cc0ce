"""The file bucket's work: a folder that mirrors a bucket key for key.

Source of the promises: POSIX ``rename`` is atomic within a file system, and ``flock`` locks end with their process.
The code here is synchronous; the async bucket runs it in threads.
"""

from sessionbucket._backends.file.folder import Folder

__all__ = ["Folder"]
