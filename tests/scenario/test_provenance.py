"""The ledger of a scenario: every number is in it, once, with where it comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

import outsim
from outsim.errors import ScenarioError
from outsim.scenario import load
from outsim.scenario.defaults import DEFAULTS, GRADES, defaults_in_use
from outsim.scenario.provenance import assumptions

FILES = sorted(Path("scenarios").glob("*.toml"))
PARTS = ("clock", "platform", "carrier", "callees")

FITTED = """\
[clock]
date = 2026-03-10
begins = "09:00"
ends = "11:00"
[callees.ring_human]
distribution = "lognormal"
median = "9 s"
log_sd = 0.4
[callees]
fax_share = 0.01
[sources.callees]
grade = "calibrated"
source = "calls of March"
[sources."callees.ring_human.median"]
grade = "calibrated"
source = "calls of March"
range = "8.5 s:9.5 s"
"""

PLAIN = {"clock": {"date": "2026-03-10", "begins": "09:00", "ends": "11:00"}}


def by_key(scenario):
    return {each.key: each for each in assumptions(scenario)}


@pytest.fixture
def fitted(tmp_path):
    (tmp_path / "fitted.toml").write_text(FITTED)
    return tmp_path / "fitted.toml"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_key_of_the_platform_is_in_it_once(path):
    scenario = load(path)
    keys = [each.key for each in assumptions(scenario)]
    assert len(keys) == len(set(keys))
    for part in ("platform", "carrier", "callees"):
        for name in type(getattr(scenario, part)).model_fields:
            assert f"{part}.{name}" in keys


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_all_defaults_that_a_scenario_rests_on_are_in_it_with_source_and_grade(path):
    scenario = load(path)
    found = {each.key: (each.grade, each.source) for each in assumptions(scenario)}
    for key in defaults_in_use(scenario):
        assert found[key] == (GRADES[DEFAULTS[key].grade], DEFAULTS[key].source)
        assert DEFAULTS[key].source


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_default_has_a_range_or_a_reason_why_it_has_none(path):
    for each in assumptions(load(path)):
        if each.written_in == "default":
            assert each.range_source, each.key


def test_what_a_file_sets_names_the_file_of_the_chain_that_sets_it():
    found = by_key(load("scenarios/quarter-past.toml"))
    start, timeout = (
        found["campaign[clinic/appointment reminders].start"],
        found["platform.ring_timeout"],
    )
    assert (start.value, start.written_in, start.grade) == ("09:15", "quarter-past.toml", "author")
    assert (timeout.value, timeout.written_in) == ("30 s", "morning.toml")


def test_a_source_holds_for_all_that_is_below_its_key(fitted):
    found = by_key(load(fitted))
    for key in ("callees.ring_human", "callees.fax_share"):
        assert (found[key].grade, found[key].source) == ("calibrated", "calls of March")
    assert found["callees.ring_human"].range == "median 8.5 s to 9.5 s"
    assert found["callees.message"].grade == "measured"
    assert found["clock.begins"].grade == "author"


def test_a_source_does_not_hold_for_what_another_file_sets_anew(fitted):
    later = fitted.parent / "later.toml"
    later.write_text('extends = "fitted.toml"\n[callees]\nfax_share = 0.02\n')
    found = by_key(load(later))
    assert (found["callees.fax_share"].grade, found["callees.fax_share"].source) == ("author", "")
    assert found["callees.ring_human"].grade == "calibrated"


def test_one_parameter_set_anew_makes_a_distribution_the_authors(fitted):
    later = fitted.parent / "later.toml"
    later.write_text('extends = "fitted.toml"\n[callees.ring_human]\nlog_sd = 0.6\n')
    found = by_key(load(later))["callees.ring_human"]
    assert (found.grade, found.written_in) == ("author", "fitted.toml, later.toml")


def test_a_source_does_not_hold_for_a_value_that_was_varied(fitted):
    found = by_key(load(fitted).with_({"callees.fax_share": "3 %"}))
    assert (found["callees.fax_share"].grade, found["callees.fax_share"].value) == (
        "author",
        "0.03",
    )
    assert found["callees.ring_human"].grade == "calibrated"


def test_sources_change_nothing_about_the_run(fitted):
    bare = fitted.parent / "bare.toml"
    bare.write_text(FITTED.partition("[sources")[0])
    campaign = {"name": "a", "tenant": "b", "start": "09:00", "contacts": 30}
    runs = [
        outsim.simulate(load({"extends": str(path), "campaign": [campaign]}))
        for path in (fitted, bare)
    ]
    assert runs[0].attempts.equals(runs[1].attempts)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("callees.ring", "unknown key"),
        ("campaign[x].start", "found [x]"),
        ("callees.", "write one such as"),
    ],
)
def test_a_source_of_a_key_that_does_not_exist_is_refused(key, said):
    sources = {key: {"grade": "measured", "source": "a paper"}}
    with pytest.raises(ScenarioError) as error:
        load(PLAIN | {"sources": sources})
    assert said in str(error.value)


def test_a_range_that_the_key_can_not_take_is_refused_with_its_key():
    sources = {"platform.ports": {"grade": "vendor", "source": "a page", "range": "0:10"}}
    scenario = load(PLAIN | {"sources": sources})
    with pytest.raises(ScenarioError, match=r"platform\.ports"):
        assumptions(scenario)


def test_a_default_of_campaigns_counts_where_the_background_alone_leaves_it():
    campaign = {"name": "a", "tenant": "b", "start": "09:00", "contacts": 3, "max_retry": 0}
    without = by_key(load(PLAIN | {"campaign": [campaign]}))
    with_others = by_key(load(PLAIN | {"campaign": [campaign], "background": {}}))
    assert "campaign.max_retry" not in without
    assert with_others["campaign.max_retry"].value == "2"


def test_a_saved_result_holds_the_ledger(tmp_path):
    scenario = load(
        PLAIN | {"campaign": [{"name": "a", "tenant": "b", "start": "09:00", "contacts": 3}]}
    )
    result = outsim.simulate(scenario)
    assert result.provenance()["assumptions"] == assumptions(scenario).to_dict()
