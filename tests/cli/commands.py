"""Every command on small scenarios, and the exit codes that are not 0."""

from __future__ import annotations

COMMANDS = {
    "run": ("run", "small.toml"),
    "compare": ("compare", "small.toml", "later.toml", "--replications", "3"),
    "schedule": (
        *("schedule", "small.toml", "--every", "10min", "--between", "09:05", "09:15"),
        *("--replications", "2"),
    ),
    "stop": ("stop", "small.toml", "--after", "0s,1s,5min", "--replications", "2"),
    "eta": ("eta", "small.toml", "--replications", "5"),
    "eta of a queue": ("eta", "small.toml", "--snapshot", "queue.json", "--replications", "5"),
    "eta of a call": ("eta", "small.toml", "--at", "09:07", "--call", "50", "--replications", "5"),
    "compare with switches": (
        *("compare", "small.toml", "later.toml", "--replications", "2"),
        *("--antithetic", "--stratified", "--controls"),
    ),
    "status": ("status", "small.toml", "--at", "09:06"),
    "status of calls": ("status", "small.toml", "--at", "09:15", "--calls", "--limit", "40"),
    "failed": ("failed", "small.toml"),
    "explain": ("explain", "small.toml", "--replications", "3"),
    "explain one run": ("explain", "small.toml", "--campaign", "notices", "--no-worth"),
    "explain a call": ("explain", "small.toml", "--call", "12"),
    "plan": (
        *("capacity", "small.toml", "--vary", "platform.ports=4:12", "--replications", "3"),
        *("--target", "p90 wait <= 4 min", "--target", "P(finished by 09:59) >= 0.1"),
    ),
    "plan of two keys": (
        *("capacity", "small.toml", "--vary", "platform.ports=4:12", "--replications", "3"),
        *("--vary", "platform.dial_rate=1/s:20/s:2", "--target", "p90 wait <= 4 min"),
    ),
    "sweep": ("sweep", "small.toml", "--vary", "platform.ports=5:10:2", "--replications", "2"),
    "sweep of two": (
        *("sweep", "small.toml", "later.toml", "--replications", "2"),
        *("--vary", "platform.ports=5:10:2", "--design", "grid", "--measure", "finish_time_s"),
    ),
    "export": ("export", "small.toml", "--format", "csv", "-o", "exported"),
    "calibrate": ("calibrate", "Master.csv", "--zone", "America/New_York"),
    "check": ("check", "small.toml", "later.toml"),
    "describe": ("describe", "small.toml", "later.toml"),
    "assumptions": ("assumptions", "later.toml"),
    "diff": ("diff", "small.toml", "later.toml"),
}
CODES = {"diff": 1}
"""Exit codes other than 0."""
