"""An interpreter that starts and ends: a part of every cold start."""
