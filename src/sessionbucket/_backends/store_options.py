"""The options of a store at a URL."""

from __future__ import annotations

from typing import Literal

from sessionbucket._backends.obstore.options import ObstoreOptions


class StoreOptions(ObstoreOptions, total=False):
    """The options of a store at a URL: parameters of the URL, or arguments of ``open_store``. All are optional.

    Those of ``S3Options`` are for ``s3://``, those of ``CloudOptions`` for ``gs://`` and ``az://``, and the last two for a folder.
    """

    engine: Literal["boto3", "aioboto3", "obstore", "auto"]
    """The library that sends the requests: ``boto3`` for a sync store and ``aioboto3`` for an async one (the defaults for ``s3://``),
    ``obstore``, or ``auto``, which is obstore when it is installed and supports all the options."""
    fsync: bool
    """Whether each save to a folder survives a power cut; on by default."""
    create: bool
    """Whether a missing folder is created; on by default."""
