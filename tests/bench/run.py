"""Measures speed and memory: `make bench`. Prints a table, and writes JSON beside it.

Machines are noisy, so what is compared is measured side by side in one process,
on the same tape, as the median of several rounds; what counts is the ratio. Each
size has a process of its own, on one core. Scenarios are scenarios/morning.toml
at other sizes: see `headline`. Studies are measured last, on all cores: see `studies`;
and then the sandbox, a process by itself: see `sandbox`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import studies
from headline import CALLS, headline
from plan import plan_figures
from sandbox import figures_in_words, sandbox_figures

SIZES = (100_000, 1_000_000, 10_000_000)
SCENARIO = Path(__file__).parents[2] / "scenarios" / "top-of-hour.toml"
KEPT = Path(__file__).parent / "result.json"

Figures = dict[str, Any]


def _median_s(run: Callable[[], Any], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _peak_bytes() -> int:
    status = Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def _whole(calls: int, rounds: int) -> Figures:
    """From scenario to tables and summary, drawing included, and what the result takes."""
    import gc

    from outsim import reuse
    from outsim.results.checkpoint import simulate
    from outsim.scenario import load

    simulate(load(headline(3_000)), engine="compiled").summary()
    gc.collect()
    before, times, first_bytes = _resident_bytes(), [], 0
    for _ in range(rounds):
        result = None
        begin = time.perf_counter()
        result = simulate(load(headline(calls)), engine="compiled")
        result.summary()
        result.tables  # noqa: B018
        times.append(time.perf_counter() - begin)
        gc.collect()
        first_bytes = first_bytes or _resident_bytes() - before - reuse.kept_bytes()
    assert result is not None
    attempts = result.arrays.records.attempts.rows
    return {
        "calls": len(result.calls),
        "attempts": attempts,
        "whole_s": statistics.median(times),
        "whole_attempts_per_s": attempts / statistics.median(times),
        "bytes_per_attempt": first_bytes / attempts,
        "kept_bytes": reuse.kept_bytes(),
        "peak_bytes": _peak_bytes(),
    }


def _engine(calls: int, rounds: int) -> Figures:
    """The compiled engine alone: from the plan and what was drawn to the records."""
    from outsim.engine.compiled.run import Run
    from outsim.plan import build_plan
    from outsim.scenario import load
    from outsim.tape import Tape

    plan = build_plan(load(headline(calls)), Tape(1))
    first = Run(plan)
    attempts = first.finish().attempts.rows
    drawn = first.draws
    del first
    seconds = _median_s(lambda: Run(plan, draws=drawn).finish(), rounds)
    return {"engine_attempts": attempts, "engine_attempts_per_s": attempts / seconds}


def _branching(calls: int, rounds: int, branches: int = 10) -> Figures:
    """So many futures of one past of two hours, against as many runs from the start."""
    from outsim.clock import HOUR
    from outsim.engine.compiled.run import Run
    from outsim.plan import build_plan
    from outsim.scenario import load
    from outsim.tape import Tape

    plan = build_plan(load(headline(calls)), Tape(1))
    first = Run(plan)
    first.finish()
    drawn = first.draws

    def branched() -> None:
        past = Run(plan, draws=drawn)
        past.advance(plan.ends_us - HOUR)
        for _ in range(branches):
            past.branch(plan).finish()

    one = _median_s(lambda: Run(plan, draws=drawn).finish(), rounds)
    return {"branches_over_runs": branches * one / _median_s(branched, rounds)}


def _simpy(calls: int, rounds: int) -> Figures:
    from outsim.engine.readable.run import Run
    from outsim.plan import build_plan
    from outsim.scenario import load
    from outsim.tape import Tape

    plan = build_plan(load(headline(calls)), Tape(1))
    attempts = Run(plan).finish().attempts.rows
    seconds = _median_s(lambda: Run(plan).finish(), rounds)
    return {"simpy_attempts_per_s": attempts / seconds}


def _cimba(calls: int, rounds: int) -> Figures:
    """Cimba and the compiled engine on the part of the model that cimba can say."""
    from cimba_platform import CimbaPlatform, part_of

    from outsim.engine.compiled.run import Run
    from outsim.plan import build_plan
    from outsim.scenario import load
    from outsim.tape import Tape

    plan = build_plan(load(part_of(headline(calls))), Tape(1))
    other = CimbaPlatform(plan)
    other.warm_up()
    ours = Run(plan)
    attempts = ours.finish().attempts.rows
    drawn, ratios, rates = ours.draws, [], []
    for _ in range(rounds):
        counted = 0

        def theirs() -> None:
            nonlocal counted
            counted = other.run()

        other_s = _median_s(theirs, 1)
        our_s = _median_s(lambda: Run(plan, draws=drawn).finish(), 1)
        rates.append(counted / other_s)
        ratios.append((attempts / our_s) / (counted / other_s))
    return {
        "cimba_attempts": counted,
        "cimba_attempts_per_s": statistics.median(rates),
        "engine_over_cimba": statistics.median(ratios),
    }


def _command() -> Figures:
    """`outsim run`, whole process: the first on a machine, and later ones."""
    command = [sys.executable, "-m", "outsim", "run", str(SCENARIO)]
    with tempfile.TemporaryDirectory() as directory:
        environment = os.environ | {"OUTSIM_CACHE_DIR": directory}

        def run() -> None:
            subprocess.run(command, env=environment, check=True, capture_output=True)

        first = _median_s(run, 1)
        return {"first_command_s": first, "command_s": _median_s(run, 3)}


def _child(name: str, calls: int, rounds: int) -> None:
    print(json.dumps(PARTS[name](calls, rounds)))


PARTS: dict[str, Callable[[int, int], Figures]] = {
    "whole": _whole,
    "engine": _engine,
    "branching": _branching,
    "simpy": _simpy,
    "cimba": _cimba,
    "cores": studies.cores,
    "overhead": studies.overhead,
    "schedule": studies.schedule,
    "plan": lambda _calls, _rounds: {"plans": plan_figures()},
}


def _measure(name: str, calls: int, rounds: int) -> Figures:
    """Run one part in a process of its own, so that memory is its own."""
    call = f"from run import _child; _child({name!r}, {calls}, {rounds})"
    done = subprocess.run(
        [sys.executable, "-c", call],
        cwd=Path(__file__).parent,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def measure_size(calls: int, rounds: int) -> Figures:
    """All figures of one size."""
    few = rounds if calls <= 1_000_000 else 1
    figures = _measure("whole", calls, few) | _measure("engine", calls, max(few, 2))
    if calls <= 1_000_000:
        figures |= _measure("cimba", calls, rounds) | _measure("branching", calls, rounds)
    if calls <= 100_000:
        figures |= _measure("simpy", calls, 1)
        figures["engine_over_simpy"] = (
            figures["engine_attempts_per_s"] / figures["simpy_attempts_per_s"]
        )
    return figures


def measure_studies(rounds: int) -> Figures:
    """All figures of studies, whose sizes are fixed; they have all cores."""
    few = min(rounds, 3)
    return {
        name: value
        for part in ("cores", "overhead", "schedule", "plan")
        for name, value in _measure(part, CALLS, few).items()
    }


ROWS = (
    ("calls", "calls", "{:,.0f}"),
    ("attempts", "attempts", "{:,.0f}"),
    ("engine, attempts/s", "engine_attempts_per_s", "{:,.0f}"),
    ("over the SimPy engine", "engine_over_simpy", "{:.0f} times"),
    ("over cimba, same part", "engine_over_cimba", "{:.2f} times"),
    ("cimba, attempts/s", "cimba_attempts_per_s", "{:,.0f}"),
    ("scenario to tables, attempts/s", "whole_attempts_per_s", "{:,.0f}"),
    ("scenario to tables", "whole_s", "{:.2f} s"),
    ("memory with all tables, B/attempt", "bytes_per_attempt", "{:.0f}"),
    ("memory kept for the next run", "kept_bytes", "{:,.0f}"),
    ("memory, peak", "peak_bytes", "{:,.0f}"),
    ("10 branches over 10 runs", "branches_over_runs", "{:.2f} times"),
)


def main() -> None:
    """Measure, print, and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--json", type=Path, default=KEPT, help="file to write the figures to")
    arguments = parser.parse_args()
    command = _command()
    sizes = {calls: measure_size(calls, arguments.rounds) for calls in arguments.sizes}
    of_studies = measure_studies(arguments.rounds)
    of_sandbox = sandbox_figures()
    per_attempt = [1 / each["engine_attempts_per_s"] for each in sizes.values()]
    figures = {
        "rounds": arguments.rounds,
        "sizes": sizes,
        "growth_of_cost": per_attempt[-1] / per_attempt[0],
        **command,
        **of_studies,
        "sandbox": of_sandbox,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
    }
    print(f"{'':34}" + "".join(f"{calls:>15,}" for calls in sizes))
    for label, name, form in ROWS:
        cells = [form.format(each[name]) if name in each else "-" for each in sizes.values()]
        print(f"{label:34}" + "".join(f"{cell:>15}" for cell in cells))
    print(f"cost per attempt, largest over smallest: {figures['growth_of_cost']:.2f} times")
    print(
        f"outsim run {SCENARIO.name}: {command['command_s']:.1f} s, the first time on a machine "
        f"{command['first_command_s']:.1f} s"
    )
    print(
        f"two cores against one, {of_studies['study_replications']} replications: "
        f"{of_studies['two_cores_over_one']:.2f} times; a study over its bare runs: "
        f"{of_studies['study_overhead_percent']:+.1f} %"
    )
    print(
        f"schedule, 12 starts, {of_studies['schedule_replications']} replications: "
        f"{of_studies['schedule_s']:.0f} s, at most "
        f"{of_studies['schedule_most_attempts']:,} attempts a run"
    )
    for name, plan in of_studies["plans"].items():
        print(f"plan, {name}: {plan['share_of_grid']:.1%} of the runs of the full grid")
    print("\n".join(figures_in_words(of_sandbox)))
    arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
