"""The pytest plugin: fixtures ``simulate``, ``golden``, ``claim`` and ``sandbox``.

It costs a suite that doesn't use it nothing: outsim is imported by the fixtures.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from outsim.results.result import Result
    from outsim.scenario.model import Scenario
    from outsim.testing.claims import Claims, Verdict
    from outsim.testing.golden import Golden
    from outsim.testing.running import RunningSandbox
    from outsim.testing.sandboxes import Futures, Sandboxes

ENGINES = ("auto", "simpy", "compiled")
FIXTURES = ("simulate", "golden", "claim", "sandbox")
ALPHA = 0.01
"""Chance that a suite whose claims are all true fails, at most, if nothing else is said."""

_CLAIM, _MOVED, _RULE = "outsim_claim", "outsim_moved", "outsim_rule"
_SHARE = pytest.StashKey[float]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the command line."""
    group = parser.getgroup("outsim", "tests of queue behaviour (outsim)")
    group.addoption(
        "--outsim-engine",
        choices=ENGINES,
        default="auto",
        help="engine that runs scenarios; a result never depends on it (default: auto)",
    )
    group.addoption(
        "--outsim-seed",
        type=int,
        default=None,
        metavar="SEED",
        help="seed of every run whose test gives none (default: the scenario's)",
    )
    group.addoption(
        "--outsim-alpha",
        type=_alpha,
        default=ALPHA,
        metavar="SHARE",
        help="chance that the claims of a suite fail though all are true (default: 0.01)",
    )
    group.addoption(
        "--outsim-undecided",
        choices=("report", "fail"),
        default="report",
        help="what an undecided claim does to its test (default: report it)",
    )
    group.addoption(
        "--update-golden", action="store_true", help="keep what is found as the golden traces"
    )


def _alpha(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0 < share < 0.5:
        raise argparse.ArgumentTypeError(
            f"found {text!r}; must be a number above 0 and below 0.5, such as {ALPHA:g}"
        )
    return share


def pytest_configure(config: pytest.Config) -> None:
    """Markers."""
    config.addinivalue_line("markers", "rule(number): the rule of the model that a test is about")
    config.addinivalue_line(
        "markers", "claims(count): how many claims a test makes (1 if it is not said)"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Note the rule that each test is about."""
    for item in items:
        for mark in item.iter_markers("rule"):
            if _uses(item, *FIXTURES):
                item.user_properties.append((_RULE, _rule_of(mark, item)))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Share the error rate out over the claims of all tests that will run."""
    count = sum(_claims_of(item) for item in session.items)
    session.config.stash[_SHARE] = session.config.getoption("--outsim-alpha") / max(1, count)


def _uses(item: pytest.Item, *names: str) -> bool:
    """Whether a test uses one of these fixtures, and not another suite's of the same name.

    The marks have plain names too, which mean something else there.
    """
    known = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    for name in names:
        for definition in reversed(known.get(name, ())):
            if definition.func.__module__ == __name__:
                return True
            if name not in definition.argnames:
                break  # it takes the place of those before it
    return False


def _rule_of(mark: pytest.Mark, item: pytest.Item) -> int:
    from outsim.engine.rules import RULES

    number = _only_number(mark)
    if number not in {rule.number for rule in RULES}:
        raise _refused(mark, item, f"the number of a rule, from 1 to {RULES[-1].number}")
    return number


def _claims_of(item: pytest.Item) -> int:
    if not _uses(item, "claim"):
        return 0
    mark = item.get_closest_marker("claims")
    if mark is None:
        return 1
    count = _only_number(mark)
    if count is None or count < 1:
        raise _refused(mark, item, "a number of claims, 1 or more")
    return count


def _only_number(mark: pytest.Mark) -> int | None:
    """The whole number that a mark gives; None if it gives anything else."""
    number = mark.args[0] if len(mark.args) == 1 and not mark.kwargs else None
    return number if type(number) is int else None


def _refused(mark: pytest.Mark, item: pytest.Item, allowed: str) -> pytest.UsageError:
    values = [*map(repr, mark.args), *(f"{key}={value!r}" for key, value in mark.kwargs.items())]
    return pytest.UsageError(
        f"{item.nodeid}: found @pytest.mark.{mark.name}({', '.join(values)}) on a test that uses "
        f"outsim's fixtures; it must give {allowed}: @pytest.mark.{mark.name}(2)"
    )


def _scenario(source: object, directory: Path) -> Scenario:
    """Scenario of TOML text, a mapping, a path from the test's directory, or a scenario."""
    from outsim.scenario import Scenario, load

    if isinstance(source, Scenario):
        return source
    if isinstance(source, Mapping | str | Path):
        return load(source, directory=directory)
    raise TypeError(
        f"found a {type(source).__name__} for a scenario; allowed: TOML text, a mapping, a path, "
        "or what outsim.load gives"
    )


@pytest.fixture
def simulate(request: pytest.FixtureRequest) -> Callable[..., Result]:
    """Run a scenario: ``simulate(scenario, seed=None, replication=0, engine=None)``.

    The scenario is TOML text, a mapping, a path from the test's directory, or what
    `outsim.load` gives. Seed and engine are those of the command line if the test gives none.
    """

    def run(
        scenario: object,
        *,
        seed: int | None = None,
        replication: int = 0,
        engine: str | None = None,
    ) -> Result:
        from outsim.results.checkpoint import simulate as simulate_once

        options: dict[str, Any] = {
            "engine": engine or request.config.getoption("--outsim-engine"),
            "seed": request.config.getoption("--outsim-seed") if seed is None else seed,
        }
        return simulate_once(
            _scenario(scenario, request.path.parent),
            replication=replication,
            until=None,
            **options,
        )

    return run


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Hold a result against its golden trace: ``golden(result)``, or with a name for several.

    Traces are in ``golden/`` beside the test; ``--update-golden`` writes them.
    """
    from outsim.testing.golden import Golden

    return Golden(
        request.path.parent / "golden",
        f"{request.path.stem}.{request.node.name}",
        update=request.config.getoption("--update-golden"),
        note=lambda rule: request.node.user_properties.append((_MOVED, rule)),
    )


@pytest.fixture(scope="session")
def _sandboxes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandboxes]:
    from outsim.testing.sandboxes import Sandboxes

    sandboxes = Sandboxes(tmp_path_factory.mktemp("sandboxes"))
    yield sandboxes
    sandboxes.close()


@pytest.fixture
def sandbox(
    request: pytest.FixtureRequest, _sandboxes: Sandboxes
) -> Iterator[Callable[..., RunningSandbox | Futures]]:
    """A platform that lives, in a process of its own: ``sandbox(scenario, "--pacing-api")``.

    The scenario is TOML text, a mapping, or a path from the test's directory; what follows are
    options of ``outsim serve``. Its clock is held. Called several times, it gives several. A
    sandbox that a test is done with is reset for the next.

    With ``futures=50`` it gives so many days, one for each seed, with lag, loss, order and outages
    varied: ``for future in sandbox(scenario, futures=50): with future as platform: ...``. After
    the last, the test fails if any day did. Below ``outsim serve --futures`` it gives the sandbox
    of the day, whatever the scenario.
    """
    taken: list[RunningSandbox] = []

    def start(
        scenario: object,
        *options: str,
        futures: int | None = None,
        vary: Sequence[str] | None = None,
    ) -> RunningSandbox | Futures:
        if isinstance(scenario, str) and "\n" not in scenario:
            scenario = Path(scenario)
        if isinstance(scenario, Path):
            scenario = request.path.parent / scenario
        elif not isinstance(scenario, str | Mapping):
            raise TypeError(
                f"found a {type(scenario).__name__} for a scenario; allowed: TOML text, a "
                "mapping, or a path"
            )
        if futures is None:
            taken.append(_sandboxes.take(scenario, list(options)))
            return taken[-1]
        platform, days = _sandboxes.futures(scenario, list(options), futures, vary)
        taken.append(platform)
        return days

    yield start
    for each in taken:
        _sandboxes.give_back(each)


@pytest.fixture
def claim(request: pytest.FixtureRequest) -> Claims:
    """Make a claim about averages: ``claim(scenario, "wait_p90_s", "<=", 60)``.

    Also ``claim.equal(one, other, measure, within=...)`` and ``claim.less(one, other, measure)``.
    A test that makes several says how many: ``@pytest.mark.claims(2)``.
    """
    from outsim.testing.claims import Claims, Replications

    config = request.config

    def conclude(verdict: Verdict) -> None:
        request.node.user_properties.append((_CLAIM, json.dumps(verdict.to_dict())))
        wrong = ("fail", "undecided")[: 1 + (config.getoption("--outsim-undecided") == "fail")]
        if verdict.word in wrong:
            pytest.fail(str(verdict), pytrace=False)

    return Claims(
        Replications(config.getoption("--outsim-engine"), config.getoption("--outsim-seed")),
        repeat(config.stash[_SHARE], _claims_of(request.node)),
        lambda given: _scenario(given, request.path.parent),
        conclude,
    )


def _noted(report: pytest.TestReport, name: str) -> list[Any]:
    return [value for key, value in report.user_properties if key == name]


def pytest_report_teststatus(
    report: pytest.TestReport,
) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    """A test with an undecided claim has a word of its own."""
    if report.when != "call" or not report.passed:
        return None
    if any(json.loads(note)["word"] == "undecided" for note in _noted(report, _CLAIM)):
        return "undecided", "u", ("UNDECIDED", {"yellow": True})
    return None


def diagnosis(reports: Iterable[pytest.TestReport]) -> list[tuple[int, int]]:
    """Rules that moved, with how many failed tests say so, the likeliest first.

    Golden traces say it by the first event that differs. Where as many speak for two rules, that
    goes first which tests about it name; where no trace speaks, the tests' own marks do.
    """
    failed = list(reports)
    votes = Counter(rule for report in failed for rule in _noted(report, _MOVED)[:1])
    marks = Counter(rule for report in failed for rule in _noted(report, _RULE))
    agreed = Counter(
        rule
        for report in failed
        for rule in _noted(report, _MOVED)[:1]
        if rule in _noted(report, _RULE)
    )
    votes = votes or marks
    return sorted(votes.items(), key=lambda vote: (-vote[1], -agreed[vote[0]], vote[0]))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """What the claims and the traces of all tests sum up to."""
    stats = terminalreporter.stats
    reports = [
        report
        for word in ("passed", "failed", "undecided")
        for report in stats.get(word, [])
        if getattr(report, "when", "") == "call"
    ]
    verdicts = [json.loads(note) for report in reports for note in _noted(report, _CLAIM)]
    moved = diagnosis(report for report in reports if report.failed)
    if not verdicts and not moved:
        return
    terminalreporter.section("outsim")
    if verdicts:
        counts = Counter(note["word"] for note in verdicts)
        terminalreporter.line(
            f"claims: {counts['pass']} passed, {counts['fail']} failed, "
            f"{counts['undecided']} undecided"
        )
        alpha = config.getoption("--outsim-alpha")
        terminalreporter.line(f"false-alarm rate of the suite: at most {100 * alpha:g} %")
    for report in stats.get("undecided", []):
        for note in map(json.loads, _noted(report, _CLAIM)):
            if note["word"] == "undecided":
                terminalreporter.line(
                    f"undecided: {report.nodeid}: {note['claim']}, after "
                    f"{note['replications']} replications"
                )
    if moved:
        from outsim.testing.attribution import named

        for k, (rule, count) in enumerate(moved):
            word = "rule that moved" if k == 0 else "or, less likely"
            tests = "test says" if count == 1 else "tests say"
            terminalreporter.line(f"{word}: {named(rule)} ({count} {tests} so)")
