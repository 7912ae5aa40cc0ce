"""The resident memory of a load and a save of a large session, in bytes above that of a warm process."""

import gc
import json
import re
from pathlib import Path


def report(load, save, small, large):
    """Load and save the small session, to import and connect everything, and then the large one. Print the memory as JSON."""
    save(load(small))
    gc.collect()
    base = _resident()
    _reset_peak()
    session = load(large)
    load_peak = _peak() - base
    gc.collect()
    kept = _resident() - base
    _reset_peak()
    save(session)
    print(json.dumps({"load": load_peak, "held after the load": kept, "save": _peak() - base}))


def _resident():
    return _status("VmRSS")


def _peak():
    return _status("VmHWM")


def _reset_peak():
    Path("/proc/self/clear_refs").write_text("5")


def _status(name):
    return (
        int(re.search(rf"^{name}:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)[1])
        * 1024
    )
