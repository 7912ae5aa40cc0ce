"""Prints the wall-clock and CPU seconds that the import of a module takes. Argument: its name."""

import sys
import time
from importlib import import_module

elapsed, cpu = time.perf_counter(), time.process_time()
import_module(sys.argv[1])
print(time.perf_counter() - elapsed, time.process_time() - cpu)
