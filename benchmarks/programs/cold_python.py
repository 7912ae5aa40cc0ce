"""An interpreter that starts and ends: what every cold start contains."""
