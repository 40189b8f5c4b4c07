"""A run on the compiled engine: advances it, hands it what it wants, and gives the records."""

from __future__ import annotations

import numpy as np
from numba import from_dtype, types

from outsim.clock import HOUR, MISSING, NEVER
from outsim.engine.compiled import cache
from outsim.engine.compiled.building import build_state, move_starts, set_timetable
from outsim.engine.compiled.layout import ATTEMPT, PLATFORM
from outsim.engine.compiled.platform import (
    NEEDS_CALLS,
    NEEDS_DRAWS,
    NEEDS_LOADING,
    NEEDS_POST_DRAWS,
    NEEDS_ROOM,
    REACHED,
    advance,
)
from outsim.engine.compiled.state import GROWING
from outsim.engine.compiled.supply import Draws, hand_calls, hand_loading
from outsim.engine.records import (
    ATTEMPT_TYPES,
    CALL_TYPES,
    DELIVERY_TYPES,
    NOT_KNOWN,
    REQUEST_TYPES,
    UPDATE_TYPES,
    Columns,
    Records,
    Types,
)
from outsim.plan import CampaignPlan, Plan
from outsim.progress import Progress, unseen
from outsim.vocabulary import NO_TYPE, SCHEDULED

EVENTS = 1_000_000
"""Events between two looks at whether the run is still wanted: some tenths of a second."""

_SPARE = 10
"""One record in so many that there is room for beyond those of another branch."""

_AFTER_DISPATCH = tuple(ATTEMPT_TYPES)[list(ATTEMPT_TYPES).index("dispatched") + 1 :]

_SIGNATURE = types.int64(from_dtype(PLATFORM)[::1], types.int64, types.int64)


class Run:
    """A run that stands at some instant, and can be advanced, or copied and advanced twice.

    Parameters
    ----------
    plan : Plan
        What to run.
    progress : callable, optional
        Told a few times a second (instant reached, end of the run); what it raises ends the run.
    draws : Draws, optional
        What was drawn already, by another run with the same tape and campaigns.
    """

    def __init__(
        self, plan: Plan, progress: Progress = unseen, draws: Draws | None = None
    ) -> None:
        self.plan = plan
        self.progress = progress
        self.reached_us = 0
        """Everything that was due before is done."""
        self._state = build_state(plan)
        self.draws = draws or Draws(plan)
        self._advance = cache.load(advance, _SIGNATURE)

    def advance(self, until_us: int) -> None:
        """Let everything happen that is due before `until_us`."""
        state = self._state
        state.hold_calls(sum(campaign.size for campaign in self.plan.in_run(until_us)))
        state.bind()
        while (why := self._advance(state.platform, until_us, EVENTS)) != REACHED:
            p = state.platform[0]
            self.progress(int(p["now"]), until_us)
            rank, number = int(p["wanted_campaign"]), int(p["wanted_number"])
            if why == NEEDS_CALLS:
                self._hand_in(rank)
            elif why == NEEDS_DRAWS:
                self.draws.hand_attempts(state, rank, number)
            elif why == NEEDS_POST_DRAWS:
                self.draws.hand_posts(state, rank, number)
            elif why == NEEDS_LOADING:
                hand_loading(state, rank, self.plan.campaigns[rank])
            elif why == NEEDS_ROOM:
                self._make_room()
        self.reached_us = until_us

    def _hand_in(self, rank: int) -> None:
        """Give the kernel a campaign's calls, and the draws that they need where they stand."""
        hand_calls(self._state, rank, self.plan.campaigns[rank])
        self.draws.hand_opening(self._state, rank)

    def _make_room(self) -> None:
        p = self._state.platform[0]
        wanted = {
            "attempt": int(p["port_count"]),
            "update": int(p["wanted_updates"]),
            "delivery": int(p["wanted_deliveries"]),
        }
        for kind, count in GROWING.items():
            needed = int(p[count]) + wanted[kind]
            if needed > p[f"{kind}_room"]:
                self._state.make_room(kind, needed + needed // 2)
        self._state.bind()

    def finish(self) -> Records:
        """Run to the plan's end, and on by whole hours until the campaign under study is over.

        The records are the run's own arrays: it can't be advanced any further.
        """
        plan = self.plan
        ends_us = plan.ends_us
        self.advance(ends_us)
        while self._goes_on() and ends_us < plan.latest_us:
            ends_us = min(ends_us + HOUR, plan.latest_us)
            self.advance(ends_us)
        self._write_what_is_to_come(ends_us)
        return self._records(ends_us)

    def _goes_on(self) -> bool:
        study = self.plan.under_study
        if study < 0:
            return False
        campaign = self._state.arrays["campaigns"][study]
        if not campaign["handed_in"]:
            self._hand_in(study)
        return bool(campaign["unfinished"] > 0)

    def _records(self, ends_us: int) -> Records:
        p, arrays = self._state.platform[0], self._state.arrays

        def columns(kind: str, types: Types) -> Columns:
            count = p[GROWING[kind]]
            return Columns(types, {name: arrays[f"{kind}_{name}"][:count] for name in types})

        return Records(
            attempts=columns("attempt", ATTEMPT_TYPES),
            updates=columns("update", UPDATE_TYPES),
            deliveries=columns("delivery", DELIVERY_TYPES),
            calls=self._calls(self.plan.in_run(ends_us)),
            ended_us=ends_us,
            requests=self._requests(),
        )

    def _requests(self) -> Columns:
        """The requests' columns: each copied out of their rows."""
        rows = self._state.arrays["requests"][: self._state.platform[0]["request_count"]]
        return Columns(REQUEST_TYPES, {name: rows[name].copy() for name in REQUEST_TYPES})

    def _calls(self, campaigns: tuple[CampaignPlan, ...]) -> Columns:
        """The calls' columns; rows of campaigns that nothing has come to were never filled in."""
        count = sum(campaign.size for campaign in campaigns)
        status, attempts = np.full(count, SCHEDULED, np.int8), np.zeros(count, np.int8)
        final = np.full(count, MISSING)
        rows, handed_in = self._state.arrays["calls"], self._state.arrays["campaigns"]["handed_in"]
        for campaign in campaigns:
            mine = slice(campaign.first_call_id, campaign.first_call_id + campaign.size)
            if handed_in[campaign.rank]:
                status[mine] = rows["status"][mine]
                attempts[mine] = rows["attempts"][mine]
                final[mine] = rows["final_at"][mine]
                continue
            if campaign.contact_list is not None or campaign.refusable_from_us < NEVER:
                status[mine] = campaign.first_statuses
            if campaign.opening is not None:
                attempts[mine] = campaign.opening.attempts
        return Columns(CALL_TYPES, {"status": status, "attempts": attempts, "final": final})

    def _write_what_is_to_come(self, ends_us: int) -> None:
        """Complete the records of attempts under way with what came before `ends_us` only."""
        arrays, p = self._state.arrays, self._state.platform[0]
        for name in ("update_begun", "update_visible"):
            arrays[name][p["begun_updates"] : p["updates"]] = MISSING
        under_way = arrays["ports"][arrays["ports"]["under_way"] != 0]
        for name in ("ringing_at", "answered_at", "detected_at"):
            under_way[name][under_way[name] >= ends_us] = MISSING
        under_way["outcome"] = NOT_KNOWN
        under_way["callee_type"][under_way["detected_at"] == MISSING] = NO_TYPE
        for name in _AFTER_DISPATCH:
            field = name if name in (ATTEMPT.names or ()) else f"{name}_at"
            known = under_way[field] if field in (ATTEMPT.names or ()) else MISSING
            arrays[f"attempt_{name}"][under_way["row"]] = known

    def branch(self, plan: Plan) -> Run:
        """A run of its own that goes on from here, with what another plan says is to come.

        `plan` has the same past: see `outsim.results.checkpoint`.
        """
        twin = object.__new__(Run)
        twin.plan = plan
        twin.progress = self.progress
        twin.reached_us = self.reached_us
        twin.draws = self.draws
        twin._advance = self._advance
        twin._state = self._state.copy()
        move_starts(twin._state, self.plan, plan)
        set_timetable(twin._state, plan, self.reached_us)
        twin.draws.hand_known(twin._state)
        twin._state.bind()
        return twin

    def make_ready(self, branch: Records) -> None:
        """Have ready, for the branches to come, what it took to make the records of one.

        Each of them would else ask for the same draws, hand in the same calls, and make room for
        as many records.
        """
        state = self._state
        campaigns = self.plan.in_run(branch.ended_us)
        state.hold_calls(sum(campaign.size for campaign in campaigns))
        for campaign in campaigns:
            if not state.arrays["campaigns"][campaign.rank]["handed_in"]:
                self._hand_in(campaign.rank)
        rows = {
            "attempt": branch.attempts.rows,
            "update": branch.updates.rows,
            "delivery": branch.deliveries.rows,
        }
        for kind, count in rows.items():
            if count > state.platform[0][f"{kind}_room"]:
                state.make_room(kind, count + count // _SPARE)
        self.draws.hand_known(state)
        state.bind()
