"""What a load and a save of a large session need, in bytes of resident memory above that of a warm process."""

import gc
import json
import re
from pathlib import Path


def report(load, save, small, large):
    """Load and save the small session, so that all is imported and connected; then the large one, and tell."""
    save(load(small))
    gc.collect()
    base = _resident()
    _forget_peak()
    session = load(large)
    load_peak = _peak() - base
    gc.collect()
    kept = _resident() - base
    _forget_peak()
    save(session)
    print(json.dumps({"load": load_peak, "held after the load": kept, "save": _peak() - base}))


def _resident():
    return _status("VmRSS")


def _peak():
    return _status("VmHWM")


def _forget_peak():
    Path("/proc/self/clear_refs").write_text("5")


def _status(name):
    return (
        int(re.search(rf"^{name}:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)[1])
        * 1024
    )
