"""Call logs that are DataFrames are read as files with the same columns and rows are."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

import outsim
from outsim.calibration import mapping_of, read_call_log
from outsim.errors import ScenarioError
from tests.calibration import logs

ZONE = "America/Chicago"
OWN = mapping_of(
    {"started": "Start", "outcome": "Result", "talk_s": "Talk", "number": "To"}, {"yes": "human"}
)
SCENARIOS = Path(__file__).parents[2] / "scenarios"
ROWS = pd.DataFrame(
    {
        "Start": ["2026-03-10 09:00:00", "2026-03-10 09:01:00", "soon", "2026-03-10 09:03:00"],
        "Result": ["yes", "no_answer", "yes", "who knows"],
        "Talk": [30.0, np.nan, 10.0, np.nan],
        "To": ["3125550100", "3125550101", "3125550102", "3125550103"],
    }
)


@settings(max_examples=settings().max_examples // 6)
@given(logs.attempts)
def test_a_frame_reads_as_its_file_does(tmp_path_factory, attempts):
    text, _ = logs.twilio(attempts)
    file = tmp_path_factory.mktemp("log") / "log.csv"
    file.write_text(text)
    of_file = read_call_log([file], zone=ZONE)
    of_frame = read_call_log(pd.read_csv(io.StringIO(text), dtype=str), zone=ZONE)
    pd.testing.assert_frame_equal(of_file.table, of_frame.table)
    assert of_file.notes == of_frame.notes
    assert [each.format for each in of_frame.files] == ["twilio"]


def test_rows_that_cant_be_read_are_listed_by_their_number():
    log = read_call_log(ROWS, mapping=OWN, zone=ZONE)
    assert len(log) == 2
    assert [(each.file, each.line) for each in log.unreadable] == [
        ("DataFrame", 3),
        ("DataFrame", 4),
    ]
    assert "'soon'" in log.unreadable[0].found
    assert "'who knows'" in log.unreadable[1].found


@pytest.mark.parametrize(
    "changed",
    [
        lambda frame: frame.assign(To=frame["To"].astype(float)),
        lambda frame: frame.assign(Result=frame["Result"].astype("category")),
        lambda frame: frame.set_index("Start"),
        lambda frame: frame.assign(Start=[pd.Timestamp("2026-03-10 09:00"), *frame["Start"][1:]]),
        lambda frame: frame.assign(Talk=pd.to_timedelta(frame["Talk"], unit="s")),
        lambda frame: frame.convert_dtypes(),
        lambda frame: frame.assign(More=[(k,) for k in range(len(frame))]),
    ],
    ids=["numbers", "categories", "index", "mixed", "durations", "nullable", "others"],
)
def test_values_may_be_of_any_type(changed):
    expected = read_call_log(ROWS, mapping=OWN, zone=ZONE)
    found = read_call_log(changed(ROWS), mapping=OWN, zone=ZONE)
    pd.testing.assert_frame_equal(found.table, expected.table)


def test_several_frames_are_named_by_their_place_and_beside_files(tmp_path):
    ROWS.iloc[:1].to_csv(tmp_path / "log.csv", index=False)
    log = read_call_log([tmp_path / "log.csv", ROWS.iloc[1:]], mapping=OWN, zone=ZONE)
    assert [each.name for each in log.files] == [str(tmp_path / "log.csv"), "DataFrame 2"]
    assert [(each.file, each.line) for each in log.unreadable] == [
        ("DataFrame 2", 2),
        ("DataFrame 2", 3),
    ]


def test_what_a_frame_lacks_is_said():
    with pytest.raises(ScenarioError, match="DataFrame: has no column 'Result'"):
        read_call_log(ROWS.drop(columns="Result"), mapping=OWN, zone=ZONE)
    with pytest.raises(ScenarioError, match="DataFrame: holds no rows"):
        read_call_log(ROWS.iloc[:0], mapping=OWN, zone=ZONE)
    with pytest.raises(ScenarioError, match="two columns 'Talk'"):
        read_call_log(pd.concat([ROWS, ROWS["Talk"]], axis=1), mapping=OWN, zone=ZONE)


def test_a_digest_tells_frames_apart():
    digests = {
        read_call_log(frame, mapping=OWN, zone=ZONE).files[0].sha256
        for frame in (ROWS, ROWS.iloc[:2], ROWS.assign(Talk=1.0))
    }
    assert len(digests) == 3
    again = read_call_log(ROWS.copy(), mapping=OWN, zone=ZONE).files[0].sha256
    assert again in digests


def test_the_call_log_of_a_run_is_known_by_its_columns():
    result = outsim.simulate(outsim.load(SCENARIOS / "contact-list.toml"), seed=1)
    log = read_call_log(result.call_log())
    assert [each.format for each in log.files] == ["calls"]
    assert len(log) == result.attempts["ended_at"].notna().sum()
    assert "outcome" not in log.table


def test_a_frame_is_calibrated_to_as_its_file_is(tmp_path):
    rng = np.random.default_rng(7)
    frame = pd.DataFrame(
        {
            "Start": pd.Timestamp("2026-03-09 09:00") + pd.to_timedelta(np.arange(900) * 40, "s"),
            "Result": rng.choice(["yes", "no_answer", "busy"], 900),
            "Talk": rng.integers(1, 90, 900),
            "To": [f"312{k:07d}" for k in range(900)],
        }
    )
    frame.to_csv(tmp_path / "log.csv", index=False)
    of_file, of_frame = (
        outsim.calibrate(
            log,
            columns={"started": "Start", "outcome": "Result", "talk_s": "Talk", "number": "To"},
            outcomes={"yes": "human"},
            zone=ZONE,
        ).run()
        for log in (tmp_path / "log.csv", frame)
    )
    assert of_file.callee_values == of_frame.callee_values
    assert of_file.weights == of_frame.weights
    assert "DataFrame" in repr(of_frame)
