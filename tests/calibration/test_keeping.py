"""A profile is kept to be used and changed by people, and it is known whether it was changed."""

from __future__ import annotations

from pathlib import Path

import pytest

import outsim
from outsim.calibration import CalleeFit
from outsim.errors import ScenarioError
from outsim.scenario import Scenario
from outsim.scenario.source import CHANGED_SINCE
from tests.damage import flipped

from .test_fit import SCENARIO, call_log, dials, fit, with_times

SAYS = "its values are not those that were written"


@pytest.fixture(scope="module")
def calibration() -> CalleeFit:
    return fit(call_log(with_times(dials(1, 1500, redial=(1.0, 0.6)))))


@pytest.fixture
def profile(calibration: CalleeFit, tmp_path: Path) -> Path:
    calibration.save(tmp_path / "callees.toml")
    (tmp_path / "scenario.toml").write_text(SCENARIO)
    return tmp_path / "callees.toml"


def used(profile: Path) -> Scenario:
    """A scenario that extends the profile."""
    return outsim.load(profile.with_name("scenario.toml"))


def grades(scenario: Scenario) -> set[str]:
    return {each.source for each in outsim.assumptions(scenario) if each.grade == "calibrated"}


def test_what_was_not_changed_says_nothing(profile, calibration, caplog):
    assert grades(used(profile)) == {calibration.source}
    assert caplog.text == ""


def test_layout_comments_and_line_ends_are_no_change(profile, calibration, caplog):
    text = profile.read_text().replace("[callees]", "# Checked by Ann.\n\n[ callees ]")
    profile.write_bytes(text.replace("\n", "\r\n").encode())
    assert grades(used(profile)) == {calibration.source}
    assert caplog.text == ""


def test_a_value_that_people_change_is_used_and_no_longer_called_that_of_the_log(
    profile, calibration, caplog
):
    profile.write_text(profile.read_text() + "\n[platform]\nports = 7\n")
    scenario = used(profile)
    assert scenario.platform.ports == 7
    assert f"callees.toml: {SAYS}" in caplog.text
    assert grades(scenario) == {calibration.source + CHANGED_SINCE}


def test_a_change_that_is_meant_is_told_no_more_once_the_checksum_is_taken_out(profile, caplog):
    lines = profile.read_text().splitlines()
    assert "Checksum" in lines[-1]
    profile.write_text("\n".join([*lines[:-1], "[platform]", "ports = 7", ""]))
    assert used(profile).platform.ports == 7
    assert caplog.text == ""


def test_no_flipped_bit_of_a_value_goes_unnoticed(profile, caplog):
    """It is read as what was written, refused, or told."""
    meant = used(profile)
    counts = {"same": 0, "refused": 0, "said": 0}
    for data in flipped(profile.read_bytes(), 120):
        profile.write_bytes(data)
        caplog.clear()
        try:
            found = used(profile)
        except ScenarioError as error:
            counts["refused"] += "callees.toml" in str(error)
            continue
        if SAYS in caplog.text:
            counts["said"] += 1
        else:
            assert found == meant
            counts["same"] += 1
    assert sum(counts.values()) == 120
    assert min(counts.values()) > 0, counts
