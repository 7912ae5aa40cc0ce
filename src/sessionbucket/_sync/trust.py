"""Whether a bucket's conditions can be relied on: asked once, and remembered for the process."""

from __future__ import annotations

import logging
import warnings

from sessionbucket._concurrency.threads import Shared
from sessionbucket._core.keys import Layout
from sessionbucket._core.results import Capability, ProbeResult
from sessionbucket._sync.bucket import Bucket
from sessionbucket._sync.conditional_write_support import probe
from sessionbucket._sync.wrappers.repeated import repeated
from sessionbucket.errors import ConditionalWritesUnsupportedError

logger = logging.getLogger(__name__)

_found: dict[str, ProbeResult] = {}


class Trust:
    """What a store may rely on in its bucket."""

    def __init__(self, bucket: Bucket, layout: Layout) -> None:
        self._bucket = bucket
        self._layout = layout
        self._warned = False
        self._probed = Shared(self._probe)

    def capability(self) -> ProbeResult:
        """What the bucket makes of conditions; probes the server at the first call in this process.

        Calls that meet share one probe, and its error.
        """
        if self._bucket.conditional_writes == "off":
            return ProbeResult(Capability.OFF, "")
        if self._bucket.conditional_writes == "trusted":
            return ProbeResult(Capability.ATOMIC, "")
        return _found.get(self._bucket.location) or self._probed()

    def _probe(self) -> ProbeResult:
        if found := _found.get(self._bucket.location):  # by a probe that ended just before this one was begun
            return found
        result = repeated(lambda: probe(self._bucket, self._layout), self._bucket.patience)
        _found[self._bucket.location] = result
        logger.debug(
            "conditional writes at %s: %s %s", self._bucket.location, result.capability, result.failed
        )
        return result

    def conditional(self) -> bool:
        """Whether a save is to be conditional.

        Raises ``ConditionalWritesUnsupportedError`` where it has to be and can't.
        """
        result = self.capability()
        if result.capability is Capability.OFF and not self._warned:
            self._warned = True
            warnings.warn(
                f"saves to {self._bucket.location} are unconditional: with two writers, updates are lost",
                RuntimeWarning,
                stacklevel=4,
            )
        if result.capability not in (Capability.ATOMIC, Capability.OFF):
            raise ConditionalWritesUnsupportedError(
                self._bucket.location, capability=result.capability, failed=result.failed
            )
        return result.capability is Capability.ATOMIC
