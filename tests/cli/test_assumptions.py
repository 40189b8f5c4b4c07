"""`outsim assumptions`: every number with its source, and with --effect how far it moves."""

from __future__ import annotations

import json

from outsim.scenario import load
from outsim.scenario.provenance import assumptions


def test_every_number_is_listed_with_its_value_and_source(outsim, files):
    told = " ".join(outsim("assumptions", "later.toml").out.split())
    for each in assumptions(load(files / "later.toml")):
        assert f"{each.key} value {' '.join(each.value.split())} grade {each.grade}" in told
        assert each.source in told
    assert "file later.toml" in told


def test_the_document_is_the_ledger(outsim, files):
    told = json.loads(outsim("assumptions", "small.toml", "--json").out)
    assert told["assumptions"] == assumptions(load(files / "small.toml")).to_dict()


def test_effects_are_told_with_their_intervals_and_a_picture(outsim, files):
    ended = outsim(
        *("assumptions", "small.toml", "--effect", "--measure", "wait_p90_s"),
        *("--replications", "2", "--plot", "effects.png"),
    )
    assert ended.code == 0
    told = " ".join(ended.out.split())
    assert "p90 wait as it stands:" in told
    assert "Without any effect on p90 wait, in every replication:" in told
    assert (files / "effects.png").stat().st_size > 1000


def test_what_is_about_the_effect_takes_it(outsim):
    ended = outsim("assumptions", "small.toml", "--plot", "effects.png")
    assert ended.code == 2
    assert "--plot: it is about the effect" in ended.message
