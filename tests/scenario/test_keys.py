"""A scenario with other values at some keys is the one that a file would have made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from outsim.errors import ScenarioError
from outsim.scenario import Scenario, load

FILES = sorted(Path("scenarios").glob("*.toml"))

CLOCK = {"date": "2026-03-10", "begins": "09:00", "ends": "11:00"}


def made(**parts: Any) -> Scenario:
    """Two campaigns of one name, and one of another, but for what `parts` says."""
    campaigns = [
        {"name": "calls", "tenant": "acme", "start": "09:00", "contacts": 3},
        {"name": "calls", "tenant": "bank", "start": "09:00", "contacts": 3},
        {"name": "news", "tenant": "bank", "start": "09:00", "contacts": 3, "expires_at": "10:00"},
    ]
    study = {"campaign": "bank/news"}
    return load({"clock": CLOCK, "campaign": campaigns, "study": study} | parts)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_change_is_the_same_scenario(path: Path) -> None:
    scenario = load(path)
    same = scenario.with_({})
    assert same == scenario
    assert same.path == scenario.path
    assert same.model_fields_set == scenario.model_fields_set
    assert [each.contact_list for each in same.campaign] == [
        each.contact_list for each in scenario.campaign
    ]


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"platform.ports": "300"}, {"platform": {"ports": 300}}),
        ({"platform.ports": 300}, {"platform": {"ports": 300}}),
        ({"carrier.rate": "90/min"}, {"carrier": {"rate": "90/min"}}),
        ({"platform.ring_timeout": "20 s"}, {"platform": {"ring_timeout": "20 s"}}),
        ({"platform.lost_updates": "2 %"}, {"platform": {"lost_updates": 0.02}}),
        ({"platform.start_jitter": "none"}, {"platform": {"start_jitter": "none"}}),
        ({"platform.queue": "fair"}, {"platform": {"queue": "fair"}}),
        ({"seed": "7"}, {"seed": 7}),
        ({"clock.ends": "12:00"}, {"clock": CLOCK | {"ends": "12:00"}}),
        ({"background.tenants": "4"}, {"background": {"tenants": 4}}),
        (
            {"platform.dial_work": '{distribution = "lognormal", median = "1 s", log_sd = 1}'},
            {
                "platform": {
                    "dial_work": {"distribution": "lognormal", "median": "1 s", "log_sd": 1}
                }
            },
        ),
        (
            {"platform.ports": "300", "platform.workers": "2"},
            {"platform": {"ports": 300, "workers": 2}},
        ),
    ],
    ids=str,
)
def test_a_value_is_read_as_in_a_file(
    change: dict[str, str | float], parts: dict[str, Any]
) -> None:
    assert made().with_(change, name="unnamed") == made(**parts)


def test_campaigns_go_by_name_by_tenant_and_name_or_by_place() -> None:
    for key in ("news", "bank/news", "2"):
        varied = made().with_({f"campaign[{key}].max_retry": "5"})
        assert [each.max_retry for each in varied.campaign] == [2, 2, 5]


def test_a_number_that_is_a_text_stays_one() -> None:
    assert made().with_({"campaign[news].ani": "2125550100"}).campaign[2].ani == "2125550100"


def test_contacts_take_the_place_of_requests_and_the_other_way_round() -> None:
    varied = made().with_({"campaign[news].requests.rate": "5/min"})
    assert varied.campaign[2].contacts is None
    assert varied.with_({"campaign[news].contacts": "9"}).campaign[2].requests is None


def test_what_stands_beside_a_value_stays_as_it_is_by_default() -> None:
    scenario = made()
    factors = scenario.with_({"callees.redial_factors[1]": "0.5"}).callees.redial_factors
    before = scenario.callees.redial_factors
    assert factors == [before[0], 0.5, *before[2:]]
    profile = scenario.with_({"profiles.known_list.human": "50"}).all_profiles["known_list"]
    assert profile == scenario.all_profiles["known_list"].model_copy(update={"human": 50})
    hours = scenario.with_({"callees.hour_factors.morning": "0.9"}).callees.hour_factors
    assert hours == scenario.callees.hour_factors.model_copy(update={"morning": 0.9})


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("platform.portz", "3", 'unknown key "portz"; did you mean "ports"?'),
        ("platfrom.ports", "3", 'unknown key "platfrom"; did you mean "platform"?'),
        ("platform.ports", "0", "platform.ports = 0: platform.ports: found 0; must be at least 1"),
        ("platform.ports", "many", "found 'many'; must be a whole number"),
        ("platform.ports.x", "1", "platform.ports: found a table; must be a whole number"),
        ("carrier.rate", "20", "write a rate with a unit, such as '20/s'"),
        ("campaign.start", "09:15", "write campaign[NAME]; allowed: acme/calls, bank/calls"),
        ("campaign[old].start", "09:15", "found [old]; campaign is a list"),
        ("campaign[calls].start", "09:15", "the name of several; write one of acme/calls, bank/"),
        ("campaign[9].start", "09:15", "found [9]; campaign is a list"),
        ("campaign[news].start", "10:30", "expires_at: found 2026-03-10 10:00:00; must be later"),
        ("callees.redial_factors[99]", "1", "allowed: 0 to 5"),
        ("outage[0].ends", "10:00", "allowed: none, as it is empty"),
        ("", "1", "write one such as"),
        ("platform..ports", "1", "write one such as"),
        ("platform.ports-", "1", "unknown key"),
        ("platform ports", "1", "write a dot between keys"),
    ],
)
def test_a_mistake_is_named_with_what_is_allowed(key: str, value: str, message: str) -> None:
    with pytest.raises(ScenarioError) as error:
        made().with_({key: value})
    assert message in str(error.value)


def test_it_is_called_by_what_was_changed_or_as_it_is_told() -> None:
    altered = made().with_({"platform.ports": 40, "campaign[news].start": "09:30"})
    assert altered.name == "unnamed, platform.ports = 40, campaign[news].start = 09:30"
    assert made().with_({"platform.ports": 40}, name="small").name == "small"
    assert made().with_({"name": "own", "platform.ports": 40}).name == "own"


def test_an_entry_of_an_error_goes_by_its_name() -> None:
    with pytest.raises(ScenarioError) as error:
        made().with_({"campaign[bank/calls].max_retry": 99})
    (problem,) = error.value.problems
    assert problem.key == "campaign[bank/calls].max_retry"
    assert "found 99" in problem.message
