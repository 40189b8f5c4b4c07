"""From a file to a scenario, or to one clear message for everything that is wrong with it."""

from __future__ import annotations

import pickle
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import outsim
from outsim.clock import MINUTE, SECOND
from outsim.errors import ScenarioError
from outsim.scenario import Scenario, load

from .conftest import CAMPAIGN, CLOCK, OWN, Problems, Write

SCENARIOS = Path(__file__).parents[2] / "scenarios"

MAPPING: dict[str, Any] = {
    "clock": {
        "zone": "America/New_York",
        "date": date(2026, 3, 10),
        "begins": "08:00",
        "ends": "13:00",
    },
    "campaign": [{"name": "a", "tenant": "t", "start": "09:00", "contacts": 5}],
}


class TestScenarios:
    def test_what_is_written_becomes_integers_and_instants(self, write: Write) -> None:
        scenario = load(
            write(
                "a.toml",
                CLOCK
                + "[platform]\nports = 40\ndial_rate = '90/min'\nring_timeout = '25 s'\n"
                + "[carrier]\nother_traffic = '5 %'\nother_traffic_peak = { 0 = 0.5 }\n"
                + CAMPAIGN
                + "retry_interval = '1 h 30 min'\nexpires_at = 12:00:00\n",
            )
        )
        assert scenario.platform.ports == 40
        assert scenario.platform.dial_rate == 1_500_000
        assert scenario.platform.ring_timeout == 25 * SECOND
        assert scenario.carrier.other_traffic == 0.05
        assert scenario.carrier.other_traffic_peak == {0: 0.5}
        campaign = scenario.campaigns[0]
        assert campaign.retry_interval == 90 * MINUTE
        assert campaign.start == datetime(2026, 3, 10, 13, tzinfo=UTC)
        assert campaign.expires_at == datetime(2026, 3, 10, 16, tzinfo=UTC)
        assert scenario.path == Path("a.toml")

    @pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.toml")), ids=lambda path: path.stem)
    def test_every_shipped_scenario_loads(self, path: Path) -> None:
        scenario = outsim.load(path)
        assert scenario.campaign_under_study in scenario.campaigns

    def test_a_scenario_goes_to_other_processes(self) -> None:
        scenario = load(SCENARIOS / "contact-list.toml")
        copy = pickle.loads(pickle.dumps(scenario))
        assert copy == scenario
        assert copy.path == scenario.path

    def test_a_mapping_says_what_a_file_says(self, write: Write) -> None:
        campaign = CAMPAIGN.replace("reminders", "a").replace("clinic", "t").replace("100", "5")
        assert dict(load(MAPPING)) == dict(load(write("a.toml", CLOCK + campaign)))

    def test_paths_in_a_mapping_begin_at_its_directory(self, write: Write) -> None:
        write("lists/a.csv", "destination\n2125550100\n")
        campaign = {"name": "a", "tenant": "t", "start": "09:00", "contact_list": "a.csv"}
        scenario = load(MAPPING | {"campaign": [campaign]}, directory="lists")
        assert scenario.campaigns[0].contact_list is not None
        assert len(scenario.campaigns[0].contact_list) == 1

    def test_a_contact_list_is_found_from_the_file_that_names_it(self, write: Write) -> None:
        write("common/lists/a.csv", "destination\n2125550100\n")
        write(
            "common/base.toml",
            CLOCK + CAMPAIGN.replace("contacts = 100", 'contact_list = "lists/a.csv"'),
        )
        scenario = load(write("own/top.toml", 'extends = "../common/base.toml"\n'))
        contacts = scenario.campaigns[0].contact_list
        assert contacts is not None
        assert contacts.path == Path("own/../common/lists/a.csv")

    def test_none_turns_off_what_is_optional(self, write: Write) -> None:
        write("base.toml", CLOCK + CAMPAIGN + 'expires_at = "12:00"\n[background]\n')
        scenario = load(
            write(
                "a.toml",
                'extends = "base.toml"\nbackground = "none"\n[platform]\nstart_jitter = "none"\n'
                '[carrier]\nother_traffic_peak = "none"\n'
                '[[campaign]]\nname = "reminders"\nexpires_at = "none"\n',
            )
        )
        assert scenario.background is None
        assert scenario.platform.start_jitter is None
        assert scenario.carrier.other_traffic_peak == {}
        assert scenario.campaigns[0].expires_at is None

    def test_times_on_another_day_carry_their_date(self, write: Write) -> None:
        clock = CLOCK.replace('"13:00"', "2026-03-11 01:00:00")
        scenario = load(write("a.toml", clock + CAMPAIGN))
        assert scenario.clock.ends == datetime(2026, 3, 11, 5, tzinfo=UTC)


class TestEverythingIsReportedAtOnce:
    def test_errors_of_all_kinds_in_all_files(self, write: Write, problems: Problems) -> None:
        write("base.toml", CLOCK + "[platform]\nprots = 300\nports = -3\n" + CAMPAIGN)
        write(
            "over.toml",
            'extends = "base.toml"\n'
            'name = ["x"]\n'
            "[carrier]\n"
            "rate = 15\n"
            "[[campaign]]\n"
            'name = "reminders"\n'
            'submitted_at = "08:30"\n'
            'stop_at = "08:15"\n'
            'expires_at = "09:00"\n'
            "max_retry = 11\n"
            'profile = "known"\n'
            "[[suspension]]\n"
            'begins = "10:00"\n'
            'ends = "09:00"\n',
        )
        assert problems("over.toml") == [
            'over.toml:2: name: found a list; must be a text in quotes, such as "name"',
            "over.toml:4: carrier.rate: found 15; write a rate with a unit, such as '20/s'",
            f"over.toml:8: {OWN}.stop_at: found 2026-03-10 08:15:00; must not be earlier "
            "than submitted_at (2026-03-10 08:30:00)",
            f"over.toml:9: {OWN}.expires_at: found 2026-03-10 09:00:00; must be later than "
            "start (2026-03-10 09:00:00)",
            "over.toml:10: campaign[clinic/reminders].max_retry: found 11; must be at most 10",
            f"over.toml:11: {OWN}.profile: found 'known'; did you mean 'known_list'? "
            "allowed: cold_list, known_list",
            "over.toml:14: suspension[0].ends: found 2026-03-10 09:00:00; must be later than "
            "begins (2026-03-10 10:00:00)",
            'base.toml:7: platform.prots: unknown key "prots"; did you mean "ports"? allowed: '
            "ports, dial_rate, dial_burst, loader_rate, workers, dial_work, status_work, "
            "ring_timeout, start_jitter, stop_latency, lost_updates, wedged_calls, "
            "reconciliation_every, queue, intake_rate, intake_burst, queue_limit, "
            "one_call_per_number, delivery_pool, detection_person, detection_machine, "
            "detection_accuracy",
            "base.toml:8: platform.ports: found -3; must be at least 1",
        ]

    def test_a_misspelt_key_is_one_error_and_not_two(
        self, write: Write, problems: Problems
    ) -> None:
        misspelt = CAMPAIGN.replace("start", "strat").replace("contacts", "contcts")
        lines = problems(write("a.toml", CLOCK + misspelt))
        assert [line.split("; allowed")[0].split("? allowed")[0] for line in lines] == [
            f'a.toml:9: {OWN}.strat: unknown key "strat"; did you mean "start"',
            f'a.toml:10: {OWN}.contcts: unknown key "contcts"; did you mean "contacts"',
        ]

    def test_a_wrong_value_is_not_blamed_on_its_neighbours(
        self, write: Write, problems: Problems
    ) -> None:
        text = CLOCK + CAMPAIGN.replace("= 100", "= -100") + 'stop_at = "later"\n'
        assert problems(write("a.toml", text)) == [
            "a.toml:10: campaign[clinic/reminders].contacts: found -100; must be at least 0",
            f"a.toml:11: {OWN}.stop_at: found 'later'; write a local clock time: '09:15', "
            "'09:15:30' or '2026-03-10 09:15'",
        ]

    def test_the_problems_are_there_as_objects(self, write: Write) -> None:
        with pytest.raises(ScenarioError) as caught:
            load(write("a.toml", CLOCK + CAMPAIGN + "color = 1\n"))
        (problem,) = caught.value.problems
        assert (problem.file, problem.line, problem.key) == (
            "a.toml",
            11,
            "campaign[clinic/reminders].color",
        )
        assert pickle.loads(pickle.dumps(caught.value)).problems == [problem]

    def test_a_mapping_has_no_lines(self) -> None:
        with pytest.raises(ScenarioError, match=r"^mapping: platform.ports: found 0; must be"):
            load(MAPPING | {"platform": {"ports": 0}})


# Each case is one line laid into an otherwise right file.
SETTINGS = [
    ("platform", 'dial_rate = "-3/s"', "dial_rate: found '-3/s'; must be"),
    ("platform", 'dial_rate = "0/s"', "dial_rate: found '0/s'; must be"),
    (
        "platform",
        'dial_rate = "20 s"',
        "dial_rate: found '20 s'; write a number a second, minute or hour, such as '20/s'",
    ),
    ("platform", 'dial_rate = "9e9/s"', "dial_rate: found '9e9/s'; write"),
    ("platform", 'dial_rate = "9000000/s"', "dial_rate: found '9000000/s'; must be"),
    ("platform", 'ring_timeout = "25"', "ring_timeout: found '25'; write"),
    ("platform", "ring_timeout = 25", "ring_timeout: found 25; write"),
    (
        "platform",
        'ring_timeout = "25 mn"',
        "ring_timeout: found the unit 'mn' in '25 mn'; allowed",
    ),
    ("platform", 'ring_timeout = "-1 s"', "ring_timeout: found '-1 s'; must be"),
    ("platform", 'ring_timeout = "0 s"', "ring_timeout: found '0 s'; must be"),
    ("platform", 'ring_timeout = "9999 d"', "ring_timeout: found '9999 d'; must be"),
    (
        "platform",
        f'''ring_timeout = "{"9" * 400} s"''',
        f"ring_timeout: found '{'9' * 40}' and 362 more characters; write 100 at most",
    ),
    ("platform", "ring_timeout = true", "ring_timeout: found true; write"),
    ("platform", "ports = 2.5", "ports: found 2.5; must be a whole number"),
    ("platform", 'ports = "300"', "ports: found '300'; must be"),
    ("platform", "ports = 2000000", "ports: found 2000000; must be"),
    ("platform", "lost_updates = 2", "lost_updates: found 2; must be"),
    ("platform", "lost_updates = nan", "lost_updates: found nan; must be"),
    ("platform", 'lost_updates = "2"', "lost_updates: found '2'; write"),
    ("platform", "lost_updates = true", "lost_updates: found true; write"),
    (
        "platform",
        'queue = "fiffo"',
        "queue: found 'fiffo'; did you mean 'fifo'? allowed: fifo, fair, first_attempts_first",
    ),
    ("platform", "dial_work = 20", "dial_work: found 20; write"),
    (
        "platform",
        'dial_work = { distribution = "lognorm", median = "1 s" }',
        "dial_work.distribution: found 'lognorm'; did you mean",
    ),
    (
        "platform",
        'dial_work = { distribution = "lognormal", median = "1 s" }',
        "dial_work.log_sd: is missing: standard deviation of the natural logarithm",
    ),
    (
        "platform",
        'dial_work = { distribution = "exponential", mean = "1 s", sd = "1 s" }',
        'dial_work.sd: unknown key "sd"; allowed: distribution, mean',
    ),
    (
        "platform",
        'dial_work = { distribution = "uniform", least = "2 s", most = "1 s" }',
        "dial_work.most: found 1 s; must be",
    ),
    (
        "carrier",
        "other_traffic_peak = { 60 = 0.1 }",
        'other_traffic_peak.60: found the key "60"; must be',
    ),
    (
        "carrier",
        "other_traffic_peak = { x = 0.1 }",
        'other_traffic_peak.x: found the key "x"; must be',
    ),
    ("callees", "gap_factors = 3", "gap_factors: found 3; write"),
    ("callees", "redial_factors = []", "redial_factors: found a list; must have"),
    ("callees", "weekday_factors = [1, 1, 1]", "weekday_factors: found a list; must have"),
    (
        "callees",
        "weekday_factors = [1, 1, 1, 1, 1, 1, -1]",
        "weekday_factors[6]: found -1; must be",
    ),
    (
        "callees",
        "hour_factors = { morning = inf, afternoon = 1, evening = 1, night = 1 }",
        "hour_factors.morning: found inf; must be",
    ),
    ("callees", "message = []", "message: found a list; write"),
    ("campaign", "ani = 2125550100", "ani: found 2125550100; must be"),
    ("campaign", 'ani = "555-0100"', "ani: found '555-0100'; must be"),
    (
        "campaign",
        'retry_interval = "30 s"',
        "retry_interval: found 30 s; must be 60 s to 172800 s (1 min to 2 days)",
    ),
    ("campaign", "max_retry = -1", "max_retry: found -1; must be"),
    ("campaign", 'result_url = "clinc"', "result_url: found 'clinc'; allowed"),
    (
        "campaign",
        'callee_zone = "America/NewYork"',
        "callee_zone: found 'America/NewYork', which is not a time zone; did you mean "
        "'America/New_York'?",
    ),
    ("campaign", 'callee_zone = "America"', "callee_zone: found 'America', which is not a time"),
    ("campaign", 'submitted_at = "25:00"', "submitted_at: found '25:00', which is not a local"),
    ("campaign", "submitted_at = 9", "submitted_at: found 9; write"),
    (
        "campaign",
        'submitted_at = "07:00"',
        "submitted_at: found 2026-03-10 07:00:00, before the scenario begins (2026-03-10 08",
    ),
    (
        "campaign",
        'expires_at = "0001-01-01 00:00"',
        "expires_at: found '0001-01-01 00:00'; must lie",
    ),
    (
        "campaign",
        'expires_at = "9000-01-01 00:00"',
        "expires_at: found '9000-01-01 00:00'; must lie",
    ),
    (
        "campaign",
        'window = { opens = "9", closes = "17:00+01:00" }',
        "window.opens: found '9'; write",
    ),
    (
        "campaign",
        'window = { opens = "09:00" }',
        "window.closes: is missing: local time of day from which it is not",
    ),
    ("campaign", "window = 9", "window: found 9; must be"),
    (
        "campaign",
        'window = { opens = "09:00", closes = "17:00", days = ["monday"] }',
        "window.days[0]: found 'monday'; did you mean",
    ),
    (
        "campaign",
        'requests = { rate = "1/s" }',
        ": give one of contacts, contact_list and requests; found contacts and requests",
    ),
    ("campaign", "requests = { }", "requests: give either rate or rate_by_hour, or times_s"),
    ("outage", 'of = "carrier"\ncount = 3', "count: has no meaning for an outage of carrier"),
    ("outage", 'of = "endpoint"', "endpoint: must be named where, and only where, of ="),
    ("outage", 'of = "ports"\nends = "07:30"', "ends: found 2026-03-10 07:30:00; must be"),
    (
        "endpoint",
        'name = "a/b"',
        "name: found 'a/b'; must be a text of 1 to 80 letters, digits, spaces",
    ),
    ("endpoint", 'name = ""', "name: found ''; must be"),
    ("endpoint", "failure_share = 0", "name: is missing: name, as campaigns give it"),
    ("study", 'campaign = "remindrs"', "campaign: found 'remindrs'; did you mean"),
    ("study", 'campaign = "reminders"\ndeadline = "07:00"', "deadline: found 2026-03-10 07:00:00"),
    (
        "background",
        "start_minutes = { top = 0, half = 0, quarter = 0, other = 0 }",
        "start_minutes: top, half, quarter and other can't all be 0",
    ),
    ("background", 'retry_interval = "3 d"', "retry_interval: found 72 h; must be"),
    ("profiles", "mine = { human = 1, voicemail = 1, busy = 1 }", "mine.no_answer: is missing"),
    ("profiles", "mine = { human = 'x' }", "mine.human: found 'x'; must be"),
]
"""Part, line, and the beginning of the message: key, what was found, and what kind of rule it
breaks."""


class TestOneMessageForEachMistake:
    @pytest.mark.parametrize(("part", "lines", "message"), SETTINGS, ids=lambda text: text[:40])
    def test_it_names_line_key_what_was_found_and_what_is_allowed(
        self, part: str, lines: str, message: str, write: Write, problems: Problems
    ) -> None:
        if part == "campaign":
            text, key = CLOCK + CAMPAIGN + lines + "\n", "campaign[clinic/reminders]"
        elif part in ("outage", "endpoint"):
            begins = 'begins = "08:30"\n' if part == "outage" else ""
            text = CLOCK + CAMPAIGN + f"[[{part}]]\n{begins}{lines}\n"
            key = f"{part}[0]"
        else:
            text, key = CLOCK + CAMPAIGN + f"[{part}]\n{lines}\n", part
        found = problems(write("a.toml", text))
        dot = "" if message.startswith(":") else "."
        wanted = [line for line in found if f": {key}{dot}{message}" in line]
        assert len(wanted) == 1, found
        assert int(wanted[0].split(":")[1]) > text[: text.index(lines)].count("\n") - 5

    @pytest.mark.parametrize(
        ("clock", "message"),
        [
            ("", "a.toml: clock: is missing: when the run begins and ends"),
            ("clock = 5\n", "a.toml:1: clock: found 5; must be a table"),
            (
                CLOCK.replace("New_York", "New York"),
                "a.toml:2: clock.zone: found 'America/New York', which is not a time zone; did "
                "you mean 'America/New_York'?",
            ),
            (
                CLOCK.replace("2026-03-10", '"10.3.2026"'),
                "a.toml:3: clock.date: found '10.3.2026'; write a date such as 2026-03-10",
            ),
            (
                CLOCK.replace("2026-03-10", "1066-10-14"),
                "a.toml:3: clock.date: found 1066-10-14; must lie in the years 1970 to 2199",
            ),
            (
                CLOCK.replace('"13:00"', '"07:00"'),
                "a.toml:5: clock.ends: found 2026-03-10 07:00:00; must be later than begins "
                "(2026-03-10 08:00:00)",
            ),
            (
                CLOCK + 'latest = "12:00"\n',
                "a.toml:6: clock.latest: found 2026-03-10 12:00:00; must not be earlier than "
                "ends (2026-03-10 13:00:00)",
            ),
            (
                CLOCK + 'latest = "2028-01-01 00:00"\n',
                "a.toml:6: clock.latest: a run may last 366 days at most",
            ),
            (
                CLOCK.replace("2026-03-10", "2026-03-08").replace("08:00", "02:30"),
                "a.toml:4: clock.begins: found 2026-03-08 02:30, which America/New_York does not "
                "have: the clock is put forward over it",
            ),
        ],
        ids=lambda text: text[-30:],
    )
    def test_the_clock(self, clock: str, message: str, write: Write, problems: Problems) -> None:
        assert problems(write("a.toml", clock + CAMPAIGN)) == [message]

    @pytest.mark.parametrize(
        ("entries", "message"),
        [
            (
                CAMPAIGN + CAMPAIGN,
                "a.toml:12: campaign[1].name: found 'reminders', which stands twice for this "
                "tenant",
            ),
            (
                CAMPAIGN + '[[tenant]]\nname = "t"\n[[tenant]]\nname = "t"\n',
                "a.toml:14: tenant[1].name: found 't', which stands twice",
            ),
            (
                CAMPAIGN
                + CAMPAIGN.replace("clinic", "shop")
                + "[study]\ncampaign = 'reminders'\n",
                "a.toml:17: study.campaign: found 'reminders', which several tenants have; write "
                "one of clinic/reminders, shop/reminders",
            ),
            (
                CAMPAIGN.replace("contacts = 100\n", ""),
                f"a.toml:6: {OWN}: give one of contacts, contact_list and requests; found "
                "none of them",
            ),
            (
                CAMPAIGN + '[[suspension]]\nbegins = "09:00"\ntenant = "clinik"\n',
                "a.toml:13: suspension[0].tenant: found 'clinik'; did you mean 'clinic'? "
                "allowed: clinic",
            ),
            (
                CAMPAIGN + '[[pause]]\ncampaign = "remindars"\nbegins = "09:00"\n',
                "a.toml:12: pause[0].campaign: found 'remindars'; did you mean 'reminders'? "
                "allowed: reminders",
            ),
            (
                CAMPAIGN
                + '[[pause]]\ncampaign = "reminders"\nbegins = "09:00"\nends = "09:20"\n'
                + '[[pause]]\ncampaign = "clinic/reminders"\nbegins = "09:10"\n',
                "a.toml:17: pause[1].begins: found 2026-03-10 09:10:00, while pause[0] of "
                "clinic/reminders is on, which ends at 2026-03-10 09:20:00; pauses of a campaign "
                "must not overlap: join them",
            ),
            (
                CAMPAIGN + '[[pause]]\ncampaign = "reminders"\nbegins = "09:10"\nends = "09:00"\n',
                "a.toml:14: pause[0].ends: found 2026-03-10 09:00:00; must be later than begins "
                "(2026-03-10 09:10:00)",
            ),
            (
                "campaign = [1]\n",
                "a.toml:6: campaign[0]: found 1; must be a table",
            ),
        ],
        ids=[
            "campaign",
            "tenant",
            "study",
            "contacts",
            "suspension",
            "pause",
            "pauses that overlap",
            "pause that ends before it begins",
            "no table",
        ],
    )
    def test_names(self, entries: str, message: str, write: Write, problems: Problems) -> None:
        text = CLOCK + entries if entries.startswith("[") else entries + CLOCK
        found = problems(write("a.toml", text))
        assert found == [message.replace(":6: campaign[0]: found 1", ":1: campaign[0]: found 1")]

    def test_a_contact_list_that_cannot_be_used(self, write: Write, problems: Problems) -> None:
        write("lists/broken.csv", "number\n2125550100\n")
        campaign = CAMPAIGN.replace("contacts = 100", 'contact_list = "lists/broken.csv"')
        assert problems(write("a.toml", CLOCK + campaign)) == [
            "lists/broken.csv:1: found 'number' as the first header; must be 'destination' "
            "(campaign[clinic/reminders].contact_list in a.toml:10)"
        ]
        missing = campaign.replace("broken", "nix") + "stop_at = '08:00'\n"
        assert problems(write("a.toml", CLOCK + missing)) == [
            f"a.toml:11: {OWN}.stop_at: found 2026-03-10 08:00:00; must not be earlier than "
            "submitted_at (2026-03-10 09:00:00)",
            "lists/nix.csv: no such file (campaign[clinic/reminders].contact_list in a.toml:10)",
        ]


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text("abc 019:/%.-\0é", max_size=12)
    | st.dates()
    | st.times()
    | st.datetimes()
    | st.sampled_from(["none", "10 min", "20/s", "09:00", "known_list", "lognormal"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["name", "tenant", "start", "distribution", "mean", "rate", "0", "human", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=6,
)


def loads_or_is_refused(mapping: dict[str, Any]) -> None:
    """Fail with anything but a message."""
    with suppress(ScenarioError):
        load(mapping)


class TestNothingElseIsEverRaised:
    @given(
        values=st.dictionaries(
            st.sampled_from(
                [*Scenario.model_fields, "extra"],
            ),
            json_values,
        )
    )
    def test_whatever_the_tables_hold(self, values: dict[str, Any]) -> None:
        loads_or_is_refused(MAPPING | values)

    @given(
        part=st.sampled_from(["clock", "platform", "carrier", "callees", "background", "study"]),
        data=st.data(),
    )
    def test_whatever_a_setting_holds(self, part: str, data: st.DataObject) -> None:
        fields = Scenario.model_fields[part].annotation
        names = getattr(fields, "model_fields", None) or ["profile", "campaign", "deadline"]
        key = data.draw(st.sampled_from(sorted(names)))
        values = {**MAPPING.get(part, {}), key: data.draw(json_values)}
        loads_or_is_refused(MAPPING | {part: values})

    @given(values=st.dictionaries(st.sampled_from(["name", "window", "contacts"]), json_values))
    def test_whatever_a_campaign_holds(self, values: dict[str, Any]) -> None:
        loads_or_is_refused(MAPPING | {"campaign": [MAPPING["campaign"][0] | values]})
