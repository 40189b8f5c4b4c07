"""The scenario files that come with outsim: each is what its first lines say."""

from __future__ import annotations

import csv
from datetime import timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import outsim
from outsim.clock import RATE_SECONDS
from outsim.plan import build_plan
from outsim.plan.background import background_campaigns
from outsim.results.invariants import check_invariants
from outsim.scenario import Campaign, Scenario
from outsim.scenario.background import TenantClass
from outsim.scenario.contacts import ContactList
from outsim.scenario.difference import differences
from outsim.scenario.sizes import SizeDistribution
from outsim.tape import Tape
from tests.both_engines import first_difference, on_both_engines

DIRECTORY = Path(__file__).parent.parent / "scenarios"
FILES = sorted(path.name for path in DIRECTORY.glob("*.toml"))
LISTS = sorted(path.name for path in DIRECTORY.glob("contacts/*.csv"))

QUESTIONS = (
    "when should I schedule my calls?",
    "when is my call going out?",
    "what is the status of my campaign?",
    "why do I see failed calls?",
    "why do calls still go out after I stopped?",
)

PAIRS = (
    ("top-of-hour.toml", "quarter-past.toml"),
    ("top-of-hour-peak.toml", "quarter-past-peak.toml"),
    ("full-scale.toml", "full-scale-quarter-past.toml"),
)

HOUR_S = 3600

BAD_NUMBERS = {"555-0134", "", "call reception", "tel:+442079460123"}
"""Rows that are meant to be rejected; the last one is reserved for fiction in its country."""


@cache
def loaded(file: str) -> Scenario:
    return outsim.load(DIRECTORY / file)


def cut(scenario: Scenario, contacts: int = 300) -> Scenario:
    """The scenario with 300 contacts a campaign at most, and little of everything else.

    That is ten minutes of requests, two campaigns an hour of background, one list or call a day
    of each of its classes, and no run beyond its end by the clock.
    """

    def fewer(campaign: Campaign) -> Campaign:
        if campaign.contacts:
            is_drawn = isinstance(campaign.contacts, SizeDistribution)
            least = contacts if is_drawn else min(campaign.contacts, contacts)
            return campaign.model_copy(update={"contacts": least})
        if campaign.requests:
            until = {"until": campaign.start + timedelta(minutes=10)}
            return campaign.model_copy(
                update={"requests": campaign.requests.model_copy(update=until)}
            )
        return campaign

    def rarer(of: TenantClass) -> TenantClass:
        rates = {"rate": None, "rate_by_hour": {9: RATE_SECONDS // HOUR_S}}
        return of.model_copy(update=rates | ({"contacts": 20} if of.lists_calls else {}))

    background = scenario.background and scenario.background.model_copy(
        update={
            "campaigns_per_hour": min(2, scenario.background.campaigns_per_hour),
            "median_size": 20,
            "tenant_class": [rarer(of) for of in scenario.background.tenant_class],
        }
    )
    return scenario.model_copy(
        update={
            "campaign": [fewer(campaign) for campaign in scenario.campaign],
            "background": background,
            "clock": scenario.clock.model_copy(update={"latest": scenario.clock.ends}),
        }
    )


def test_there_is_a_scenario_for_each_question():
    said = " ".join((DIRECTORY / file).read_text().replace("\n# ", " ") for file in FILES)
    for question in QUESTIONS:
        assert f"# Shows: {question}" in said


@pytest.mark.parametrize("file", FILES)
def test_the_first_line_says_what_the_file_shows(file):
    assert (DIRECTORY / file).read_text().startswith("# Shows: ")


def test_every_scenario_has_a_name_of_its_own():
    assert len({loaded(file).name for file in FILES}) == len(FILES)


@pytest.mark.parametrize("file", FILES)
def test_cut_to_a_few_calls_it_runs_and_keeps_every_law(file):
    scenario = cut(loaded(file))
    result = outsim.simulate(scenario, seed=1)
    check_invariants(result)
    assert len(result.attempts) > 0
    assert result.end == scenario.clock.ends
    called = result.calls.loc[result.calls["status"] != "rejected", "number"]
    assert called.mod(10**7).between(5_550_100, 5_550_199).all(), "made-up numbers are fiction"


def assert_same_on_both_engines(scenario: Scenario) -> None:
    plan = build_plan(scenario, Tape(scenario.seed))
    difference = first_difference(plan, *on_both_engines(plan))
    assert not difference, difference


@pytest.mark.parametrize("file", FILES)
def test_cut_to_2000_contacts_both_engines_give_the_same_records(file):
    assert_same_on_both_engines(cut(loaded(file), contacts=2_000))


@pytest.mark.deep
@pytest.mark.parametrize("file", FILES)
def test_both_engines_give_the_same_records_of_every_file(file):
    assert_same_on_both_engines(loaded(file))


# The headline pair


@pytest.mark.parametrize("pair", PAIRS)
def test_a_pair_differs_in_the_start_of_its_campaign_and_in_nothing_else(pair):
    top, quarter = map(loaded, pair)
    study = top.campaign_under_study
    found = differences(top, quarter)
    assert [(each.key, each.left, each.right) for each in found] == [
        (f"campaign[{study.tenant}/{study.name}].start", "09:00", "09:15")
    ]


def test_the_peak_differs_from_the_headline_in_the_carriers_other_traffic_alone():
    keys = [
        each.key
        for each in differences(loaded("top-of-hour.toml"), loaded("top-of-hour-peak.toml"))
    ]
    assert keys == ["carrier.other_traffic_peak"]


def test_the_headline_campaign_has_10000_calls_at_nine_local_time():
    scenario = loaded("top-of-hour.toml")
    campaign = scenario.campaign_under_study
    assert f"{campaign.start:%H:%M %Z}" == "09:00 EDT"
    assert campaign.start.tzinfo == scenario.clock.zone_info
    assert campaign.contacts == 10_000
    assert (f"{scenario.clock.begins:%H:%M}", f"{scenario.clock.ends:%H:%M}") == ("08:00", "13:00")
    assert loaded("full-scale.toml").campaign_under_study.contacts == 50_000


@pytest.mark.parametrize("replication", range(8))
def test_the_headline_campaign_is_one_among_many(replication):
    """At least 30 campaigns of 10 other customers, with most of the calls; many at :00."""
    scenario = loaded("top-of-hour.toml")
    ends_us = scenario.instant_us(scenario.clock.ends)
    others = list(background_campaigns(scenario, Tape(scenario.seed, replication), ends_us))
    assert len(others) >= 30
    assert len({other.tenant for other in others}) >= 10
    calls = sum(other.size for other in others)
    assert calls / (calls + 10_000) > 0.6
    minutes = np.array([other.start_us // 60_000_000 % 60 for other in others])
    assert 0.25 < np.mean(minutes == 0) < 0.75


# Contact lists


@pytest.mark.parametrize("file", LISTS)
def test_sample_lists_use_numbers_reserved_for_fiction(file):
    """555-0100 to 555-0199, in many area codes, as callees and as callers."""
    contacts = ContactList.read(DIRECTORY / "contacts" / file)
    numbers = contacts.numbers[contacts.numbers != 0]
    for each in (numbers, contacts.anis[contacts.anis != 0]):
        assert ((each % 10**7 >= 5_550_100) & (each % 10**7 <= 5_550_199)).all()
    assert len(set((numbers // 10**7).tolist())) >= 10


@pytest.mark.parametrize("file", LISTS)
def test_rows_that_cannot_be_dialed_are_the_ones_that_are_meant_to(file):
    contacts = ContactList.read(DIRECTORY / "contacts" / file)
    assert {row.text for row in contacts.rejected} <= BAD_NUMBERS


def test_the_sample_list_shows_bad_rows_doubles_and_time_zones():
    contacts = loaded("contact-list.toml").campaign[0].contact_list
    assert len(contacts.rejected) >= 3
    assert contacts.duplicates.any()
    assert len(contacts.zones) >= 3
    assert contacts.without_ani > 0


@pytest.mark.parametrize("file", LISTS)
def test_a_sample_list_is_a_plain_csv_with_its_header(file):
    with (DIRECTORY / "contacts" / file).open(newline="") as stream:
        header = next(csv.reader(stream))
    assert header[0] == "destination"
