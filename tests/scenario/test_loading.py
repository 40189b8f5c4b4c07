"""A scenario may come as a file, a text or a mapping, and its contacts as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import outsim
from outsim.errors import ScenarioError
from outsim.scenario import load

from .conftest import CAMPAIGN, CLOCK, Write

MAPPING: dict[str, Any] = {
    "clock": {"date": "2026-03-10", "begins": "08:00", "ends": "13:00"},
    "campaign": [{"name": "a", "tenant": "t", "start": "09:00"}],
}


def with_contacts(contacts: Any) -> dict[str, Any]:
    return MAPPING | {"campaign": [MAPPING["campaign"][0] | {"contacts": contacts}]}


class TestTexts:
    def test_a_text_says_what_a_file_says(self, write: Write) -> None:
        assert dict(load(CLOCK + CAMPAIGN)) == dict(load(write("a.toml", CLOCK + CAMPAIGN)))

    def test_a_line_may_be_a_text_too(self, write: Write) -> None:
        path = write("base.toml", CLOCK + CAMPAIGN)
        assert dict(load('extends = "base.toml"')) == dict(load(path))
        assert dict(load('extends = "base.toml"', directory=Path.cwd())) == dict(load(path))

    @pytest.mark.parametrize("name", ["seed=3.toml", "runs/seed=3/a.toml", "a-b.toml"])
    def test_a_path_may_look_like_a_key(self, name: str, write: Write) -> None:
        assert load(str(write(name, CLOCK + CAMPAIGN))).path == Path(name)

    def test_an_error_names_the_line(self) -> None:
        with pytest.raises(ScenarioError) as error:
            load(CLOCK + CAMPAIGN + "max_retry = 11\n")
        (problem,) = error.value.problems
        assert (problem.file, problem.line) == ("text", 11)
        assert problem.key == "campaign[clinic/reminders].max_retry"

    def test_a_text_that_is_no_toml_is_refused(self) -> None:
        with pytest.raises(ScenarioError, match="text:2"):
            load("a = 1\nb =\n")


class TestTables:
    @pytest.mark.parametrize(
        "numbers",
        [
            ["2125550100", "2125550101"],
            [2125550100, 2125550101],
            np.array([2125550100.0, 2125550101.0]),
        ],
        ids=["texts", "whole numbers", "numbers"],
    )
    def test_a_table_says_what_a_csv_says(self, numbers: Any, write: Write) -> None:
        write("a.csv", "destination,ani\n2125550100,2125550199\n2125550101,\n")
        frame = pd.DataFrame({"ani": ["2125550199", None], "destination": numbers})
        of_a_file = with_contacts(None)
        of_a_file["campaign"][0]["contact_list"] = "a.csv"
        left, right = load(of_a_file).campaign[0], load(with_contacts(frame)).campaign[0]
        assert right.contact_list == left.contact_list
        assert right.contacts is None

    def test_a_row_that_cannot_be_dialed_is_named_by_its_number(self) -> None:
        contacts = (
            load(with_contacts(pd.DataFrame({"destination": ["2125550100", "1", ""]})))
            .campaign[0]
            .contact_list
        )
        assert contacts is not None
        assert [(row.row, row.reason) for row in contacts.rejected] == [
            (1, "wrong length"),
            (2, "empty"),
        ]
        assert contacts.place_of(contacts.rejected[0]) == "row 1"

    @pytest.mark.parametrize("columns", [["number"], [], ["destination", "destination"]])
    def test_other_columns_are_refused(self, columns: list[str]) -> None:
        frame = pd.DataFrame([["2125550100"] * len(columns)], columns=columns)
        with pytest.raises(ScenarioError, match=r"DataFrame.*campaign\[t/a\]"):
            load(with_contacts(frame))

    def test_a_scenario_is_given_contacts_by_key(self) -> None:
        frame = pd.DataFrame({"destination": ["2125550100"]})
        altered = load(with_contacts(5)).with_({"campaign[a].contacts": frame})
        assert altered.campaign[0].dialable() == 1
        assert altered.name == "unnamed, campaign[a].contacts = a DataFrame"

    def test_a_result_keeps_the_contacts(self, tmp_path: Path) -> None:
        frame = pd.DataFrame({"destination": ["2125550100", "2125550101"]})
        result = outsim.simulate(load(with_contacts(frame)), engine="simpy")
        result.save(tmp_path / "run")
        read = outsim.load_result(tmp_path / "run")
        assert read.scenario.campaign[0].contact_list == result.scenario.campaign[0].contact_list
