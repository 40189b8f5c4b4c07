"""The plugin in sessions of its own: fixtures, verdicts, traces, and suites that don't use it."""

from __future__ import annotations

import lzma
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

# What sessions in this process import stays: they would load numpy a second time.
import outsim.results.result
import outsim.studies.study
import outsim.testing.claims
import outsim.testing.golden  # noqa: F401
from outsim.scenario import Scenario
from outsim.testing.traces import sealed
from tests.testing.examples import TEXT

pytest_plugins = ["pytester"]

PLUGIN = ("-p", "outsim.testing.plugin", "-p", "no:cacheprovider")
SCENARIO = f'SCENARIO = """{TEXT}"""\n'
ENOUGH = "claim(SCENARIO, 'wait_p90_s', {}, most=10)"


@pytest.fixture
def session(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    return pytester


def run(session: pytest.Pytester, source: str, *options: str) -> pytest.RunResult:
    session.makepyfile(SCENARIO + source)
    return session.runpytest_inprocess(*PLUGIN, *options)


def test_a_scenario_may_be_text_mapping_path_or_made(session: pytest.Pytester) -> None:
    session.path.joinpath("file.toml").write_text(TEXT)
    run(
        session,
        """
import tomllib
import outsim

def test_it(simulate):
    made = outsim.load("file.toml")
    runs = [simulate(each) for each in (SCENARIO, tomllib.loads(SCENARIO), "file.toml", made)]
    assert [len(run.attempts) for run in runs] == [len(runs[0].attempts)] * 4
    assert {run.seed for run in runs} == {7}
    assert {run.engine for run in runs} == {"simpy"}
    assert simulate(SCENARIO, seed=3, replication=2).seed == 3
""",
        "--outsim-seed=7",
        "--outsim-engine=simpy",
    ).assert_outcomes(passed=1)


GOLDEN = """
def test_it(simulate, golden):
    golden(simulate(SCENARIO, seed=1))
    golden(simulate(SCENARIO, seed=1, replication=1), "another")
"""


def test_a_trace_is_kept_found_again_and_missed(session: pytest.Pytester) -> None:
    missing = run(session, GOLDEN)
    missing.assert_outcomes(failed=1)
    missing.stdout.fnmatch_lines(["*no golden trace *keep one with --update-golden*"])
    run(session, GOLDEN, "--update-golden").assert_outcomes(passed=1)
    assert len([*session.path.joinpath("golden").iterdir()]) == 2
    run(session, GOLDEN).assert_outcomes(passed=1)


def let_work_begin_earlier(session: pytest.Pytester) -> None:
    """Change one number of the first trace that was kept, and what a rule did then."""
    golden = session.path / "golden"
    kept = next(path for path in golden.iterdir() if "another" not in path.name)
    lines = lzma.decompress(kept.read_bytes()).decode().splitlines()
    first = next(k for k, line in enumerate(lines) if line.startswith("attempts ")) + 1
    columns = lines[first - 1].split(" ")[2].split(",")
    row = lines[first].split(",")
    row[columns.index("work_started")] = "5"
    lines[first] = ",".join(row)
    note = next(k for k, line in enumerate(lines) if "begins dial work" in line)
    lines[note] = lines[note].replace("one begins", "two begin")
    kept.write_bytes(lzma.compress(sealed("\n".join(lines[:-1])).encode()))


def test_a_run_that_leaves_its_trace_shows_where_and_by_which_rule(
    session: pytest.Pytester,
) -> None:
    run(session, GOLDEN, "--update-golden").assert_outcomes(passed=1)
    let_work_begin_earlier(session)
    failed = run(session, GOLDEN)
    failed.assert_outcomes(failed=1)
    failed.stdout.fnmatch_lines(
        [
            "*The runs part at *, in attempts: acme/list call 0, attempt 1*",
            "*The rule that moved: rule 5, Workers*",
            "*golden*rule  5  workers: two begin dial work*",
            "*now*rule  5  workers: one begins dial work*",
            "*work_started*",
            "*rule that moved: rule 5, Workers (1 test says so)*",
        ]
    )


def test_another_seed_and_another_scenario_are_told_from_a_rule(session: pytest.Pytester) -> None:
    run(session, GOLDEN, "--update-golden").assert_outcomes(passed=1)
    other = run(session, GOLDEN.replace("seed=1)", "seed=2)"))
    other.stdout.fnmatch_lines(["*was kept of seed 1, replication 0; this run has seed 2*"])
    changed = run(session, 'SCENARIO = SCENARIO.replace("ports = 4", "ports = 3")\n' + GOLDEN)
    changed.assert_outcomes(failed=1)
    changed.stdout.fnmatch_lines(["*The scenario is another one than the trace was kept of*"])
    changed.stdout.no_fnmatch_line("rule that moved:*")


def test_other_defaults_are_told_beside_the_rule(
    session: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A default that came later, or has another value, makes no other scenario."""
    run(session, GOLDEN, "--update-golden").assert_outcomes(passed=1)
    let_work_begin_earlier(session)
    dump = Scenario.model_dump_json
    monkeypatch.setattr(
        Scenario,
        "model_dump_json",
        lambda scenario, **options: dump(scenario, **options) + " " * (not options),
    )
    failed = run(session, GOLDEN)
    failed.stdout.fnmatch_lines(
        [
            "*The trace was kept with other defaults, or fewer*",
            "*rule that moved: rule 5, Workers (1 test says so)*",
        ]
    )


def test_verdicts_and_the_rate_are_summed_up(session: pytest.Pytester) -> None:
    source = f"""
import pytest

def test_true(claim):
    assert {ENOUGH.format('"<=", 10_000')}.word == "pass"

def test_false(claim):
    {ENOUGH.format('"<=", 0.001')}

@pytest.mark.claims(2)
def test_close(claim):
    values = claim._replications.of("wait_p90_s", claim._scenario(SCENARIO))(range(10))
    first = claim(SCENARIO, "wait_p90_s", "<=", values.mean(), most=10)
    second = claim.equal(SCENARIO, SCENARIO, "wait_p90_s", within=1, most=10)
    assert (first.word, second.word) == ("undecided", "pass")
    assert first.alpha == second.alpha == 0.04 / 4
"""
    found = run(session, source, "--outsim-alpha=0.04")
    found.stdout.fnmatch_lines(
        [
            "*fail: wait_p90_s <= 0.001; found *",
            "claims: 2 passed, 1 failed, 1 undecided",
            "false-alarm rate of the suite: at most 4 %",
            "undecided: *test_close: wait_p90_s <= *after 10 replications",
            "*1 failed, 1 passed, 1 undecided*",
        ]
    )
    strict = run(session, source, "--outsim-alpha=0.04", "--outsim-undecided=fail")
    strict.assert_outcomes(failed=2, passed=1)


def test_more_claims_than_declared_are_refused(session: pytest.Pytester) -> None:
    once = ENOUGH.format('"<=", 10_000')
    found = run(session, f"def test_it(claim):\n    {once}\n    {once}\n")
    found.assert_outcomes(failed=1)
    found.stdout.fnmatch_lines(["*more claims than the test declares*claims(COUNT)*"])


def test_a_claim_that_can_not_be_made_says_what_is_allowed(session: pytest.Pytester) -> None:
    found = run(session, "def test_it(claim):\n    claim(SCENARIO, 'wait', '<=', 1)\n")
    found.stdout.fnmatch_lines(
        ["*measure 'wait': there is no such measure; did you mean 'wait_p50_s'?*"]
    )


def test_a_suite_that_does_not_use_it_sees_nothing_of_it(session: pytest.Pytester) -> None:
    found = run(session, "def test_it():\n    assert True\n")
    found.assert_outcomes(passed=1)
    found.stdout.no_fnmatch_line("*outsim*")


OTHERS_MARKS = """
import pytest

@pytest.mark.rule(name="x")
@pytest.mark.claims
def test_marked():
    pass

@pytest.mark.rule("abc")
def test_failing():
    assert False

@pytest.fixture
def claim():
    pass

@pytest.mark.rule
@pytest.mark.claims("many")
def test_with_a_fixture_of_its_own(claim):
    pass
"""


def test_marks_of_the_same_name_are_left_to_other_suites(session: pytest.Pytester) -> None:
    found = run(session, OTHERS_MARKS)
    found.assert_outcomes(passed=2, failed=1)
    found.stdout.no_fnmatch_line("*outsim*")


def test_a_fixture_of_ours_that_a_suite_wraps_is_still_ours(session: pytest.Pytester) -> None:
    once = ENOUGH.format('"<=", 10_000')
    wrapped = f"""
import pytest

@pytest.fixture
def claim(claim):
    return claim

@pytest.mark.claims(2)
def test_it(claim):
    {once}
    assert {once}.alpha == 0.01 / 2
"""
    run(session, wrapped).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("mark", "fixture"),
    [
        *((f"rule({given})", "golden") for given in ("", "'abc'", "0", "21", "5, 8", "number=5")),
        ("rule('5')", "simulate"),
        ("rule(True)", "claim"),
        *((f"claims({given})", "claim") for given in ("", "0", "'2'", "1.5", "count=2")),
    ],
)
def test_a_mark_that_says_nothing_of_use_is_refused(
    mark: str, fixture: str, session: pytest.Pytester
) -> None:
    found = run(session, f"import pytest\n@pytest.mark.{mark}\ndef test_it({fixture}): pass\n")
    assert found.ret == pytest.ExitCode.USAGE_ERROR
    found.stderr.fnmatch_lines([f"ERROR: *::test_it: found @pytest.mark.{mark} on a test that *"])
    what = "a number of claims, 1 or more" if "claims" in mark else "from 1 to 20"
    found.stderr.fnmatch_lines([f"*it must give *{what}: *"])


@pytest.mark.parametrize("given", ["2", "0", "0.5", "nan", "much"])
def test_an_error_rate_that_is_none_says_what_is_allowed(
    given: str, session: pytest.Pytester
) -> None:
    found = run(session, "", f"--outsim-alpha={given}")
    assert found.ret == pytest.ExitCode.USAGE_ERROR
    found.stderr.fnmatch_lines(
        [f"*--outsim-alpha: found '{given}'; must be *above 0 and below 0.5*"]
    )


@pytest.fixture
def installed(session: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A session that finds the entry point as if outsim had been installed."""
    root = Path(__file__).parents[2]
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    points = project["entry-points"]["pytest11"]
    info = session.mkdir("outsim_of_the_test-1.dist-info")
    info.joinpath("METADATA").write_text("Name: outsim-of-the-test\nVersion: 1\n")
    lines = [f"{name} = {where}" for name, where in points.items()]
    info.joinpath("entry_points.txt").write_text("\n".join(["[pytest11]", *lines]))
    monkeypatch.setenv("PYTHONPATH", f"{session.path}{os.pathsep}{root}")
    return session


@pytest.mark.parametrize(
    ("options", "autoload"),
    [((), True), (("-p", "outsim"), True), (("-p", "outsim"), False), (PLUGIN[:2], False)],
    ids=["found", "found and asked for", "asked for", "asked for by its module"],
)
def test_it_is_loaded_once(
    options: tuple[str, ...],
    autoload: bool,
    installed: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if autoload:
        monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    installed.makepyfile("""
def test_it(simulate, pytestconfig):
    loaded = [getattr(each, "__name__", "") for each in pytestconfig.pluginmanager.get_plugins()]
    assert loaded.count("outsim.testing.plugin") == 1
""")
    found = installed.runpytest_subprocess(*options, "-p", "no:cacheprovider")
    found.assert_outcomes(passed=1)


def test_it_is_cheap_to_load() -> None:
    """No numbers, tables or scenarios are imported before a fixture is asked for."""
    code = (
        "import sys, outsim.testing.plugin as p; "
        "print(sorted({'numpy', 'pandas', 'pydantic', 'scipy', 'simpy'} & {*sys.modules}))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"
