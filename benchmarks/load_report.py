"""What `make bench-load` found, as a part of docs/performance.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Of docs/performance.md's targets: milliseconds at p99, and MiB.
_TARGETS = {"post": 50, "get": 25}
_FAN_OUT_TARGET = 250
_HEALTH_TARGET, _MEMORY_TARGET = 500, 200


def report(results: Mapping[str, Any]) -> str:
    rostra, bare = results["rostra"], results["bare"]
    lines = [
        "## The API under load: `make bench-load`",
        "",
        "Beside the least that FastAPI and RQ do by themselves (`benchmarks/load_bare.py`, 50 lines): no state but "
        "RQ's, and a blocking read in Redis for each reader. One process each, on two cores that the clients, Redis "
        f"and other programs share (load average {results['load_average']:.1f} at the start); limits on how much one "
        "may ask are lifted. Times count from when a request was due.",
        "",
        "| | Rostra | bare | target |",
        "|---|---|---|---|",
    ]
    for kind in ("post", "get"):
        mine, other = rostra[kind], bare[kind]
        name = f"{kind.upper()} at {mine['asked_a_second']} a second"
        lines += [
            f"| {name}: p50 / p99 | {_times(mine)} | {_times(other)} | p99 under {_TARGETS[kind]} ms |",
            f"| {kind.upper()}: processor time of the API | {mine['cpu_ms']} ms | {other['cpu_ms']} ms | |",
            f"| {kind.upper()}: most a second | {mine['most_a_second']} | {other['most_a_second']} | |",
        ]
    mine, other = rostra["fan_out"], bare["fan_out"]
    lines += [
        f"| one debate, {mine['readers']} readers: event to reader, p50 / p99 | {_times(mine)} | {_times(other)} | "
        f"p99 under {_FAN_OUT_TARGET} ms |",
        f"| the same: processor time a message | {mine['cpu_us_a_message']} µs | {other['cpu_us_a_message']} µs | |",
        f"| the same: messages missed | {mine['missed']} | {other['missed']} | 0 |",
    ]
    mine, other = rostra["idle"], bare["idle"]
    lines += [
        f"| {mine['readers']} idle readers: memory each | {mine['kib_a_reader']} KiB | {other['kib_a_reader']} KiB | |",
        f"| the same: processor, connections to Redis | {mine['cpu_percent']} %, {mine['redis_connections']} | "
        f"{other['cpu_percent']} %, {other['redis_connections']} | |",
        "| through one worker: debates of two turns, or jobs that do nothing | "
        f"{rostra['debates']['a_second']} a second | {bare['debates']['a_second']} a second | |",
    ]
    lines += ["", *_abuse(results["abuse"]), "", _misses(results)]
    return "\n".join(lines)


def _misses(results: Mapping[str, Any]) -> str:
    rostra, abuse = results["rostra"], results["abuse"]
    missed = [f"{kind.upper()}'s p99" for kind, most in _TARGETS.items() if rostra[kind]["p99_ms"] > most]
    missed += ["event to reader"] if rostra["fan_out"]["p99_ms"] > _FAN_OUT_TARGET else []
    missed += [
        f"`/healthz` during “{_load(name)}”"
        for name, row in abuse.items()
        if row["healthz"]["p99_ms"] > _HEALTH_TARGET or row["healthz"]["failed"]
    ]
    missed += ["memory"] if max(row["peak_mib"] for row in abuse.values()) > _MEMORY_TARGET else []
    if not missed:
        return "All targets were met."
    return (
        f"Missed in this run: {', '.join(missed)}. The targets are for two idle cores; here the clients and "
        f"Redis take their part of both, and at a load average of {results['load_average']:.1f} at the start so do "
        "others."
    )


def _load(name: str) -> str:
    return _LOADS.get(name, name.replace("_", " "))


def _times(row: Mapping[str, Any]) -> str:
    failed = f", {row['failed']} failed" if row.get("failed") else ""
    return f"{row['p50_ms']} / {row['p99_ms']} ms{failed}"


_LOADS = {
    "nothing": "nothing",
    "body_of_200_mb": "bodies of 200 MB, with and without their length declared",
    "slow_clients_500": "500 clients that send a byte a second",
    "all_at_once": "all at once",
}


def _abuse(found: Mapping[str, Any]) -> list[str]:
    lines = [
        "`GET /healthz`, asked 50 times a second, and the API's memory at its most (goals: p99 under "
        f"{_HEALTH_TARGET} ms, under {_MEMORY_TARGET} MiB; cut off: it ended while the body was still being sent):",
        "",
        "| meanwhile | p50 / p99 | failed | memory | answered |",
        "|---|---|---|---|---|",
    ]
    for name, row in found.items():
        load = _load(name)
        said = ", ".join(f"{status}: {times}" for status, times in row.get("said", {}).items())
        health = row["healthz"]
        times = f"{health['p50_ms']} / {health['p99_ms']} ms"
        lines.append(f"| {load} | {times} | {health['failed']} | {row['peak_mib']} MiB | {said} |")
    return lines
