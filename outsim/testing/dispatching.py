"""Which rule moved where a call is dispatched in one run and not in another.

A dispatch is where most rules have a say: the state of the platform at that instant, and what the
other run does with the same calls later, tell them apart.
"""

from __future__ import annotations

from outsim.engine.records import Records
from outsim.plan import CampaignPlan
from outsim.testing.differences import Row
from outsim.testing.rules import RULE_OF_OUTAGE
from outsim.testing.scene import HELD_BY_RULE, Scene, rows_at
from outsim.vocabulary import DISCIPLINES


def rule_of_dispatch(scene: Scene, found: Records) -> int:
    """The rule that moved where the scene's run and another one dispatch other calls."""
    return _Dispatches(scene, found).rule()


def dispatched_at(at: int, records: Records) -> dict[int, Row]:
    """Attempts that are dispatched at an instant, by call."""
    return {row["call_id"]: row for row in rows_at(records, "attempts", "dispatched", at)}


class _Dispatches:
    """What two runs dispatch at one instant, being the same until then."""

    def __init__(self, scene: Scene, found: Records) -> None:
        self.scene = scene
        self.kept = scene.records
        self.found = found
        self.at = scene.at

    def rule(self) -> int:
        """A call is dispatched in one run and not, or another one, in the other."""
        kept, found = (dispatched_at(self.at, each) for each in (self.kept, self.found))
        less = {call: row for call, row in kept.items() if call not in found}
        more = {call: row for call, row in found.items() if call not in kept}
        for call in more:
            rules = self.scene.campaign(call).rules
            if self.scene.is_wedged(call):
                return 10
            if rules.stop_effect_us <= self.at and rules.stop_reaches_queue:
                return 12
            if held := self.scene.held(call):
                return HELD_BY_RULE[held]
        if any(self.scene.is_wedged(call) for call in less):
            return 10
        if less and more and self._may_go_alike(less, more):
            return self._order(less, more)
        for call, row in {**less, **more}.items():
            rules = self.scene.campaign(call).rules
            if rules.pacing_rate and rules.paced_at_dispatch:
                return 2
            was_held = row["eligible"] > row["queued"] and row["eligible"] == self.at
            if was_held and (held := self.scene.released_by(call, self.at)):
                return HELD_BY_RULE[held]
        held_until = {**_eligible(self.found, less), **_eligible(self.kept, more)}
        for call, eligible in held_until.items():
            if rule := self.scene.rule_that_released(call, eligible):
                return rule
        if less and more:
            return self._order(less, more)
        if self.scene.outages("ports"):
            return RULE_OF_OUTAGE
        waiting = self.scene.queue
        if less and any(each.held for each in waiting):
            return 3
        return 4

    def _may_go_alike(self, less: dict[int, Row], more: dict[int, Row]) -> bool:
        """Whether both runs let these calls go from the same instants on, if not in one order."""
        for calls, other in ((less, self.found), (more, self.kept)):
            for call, row in calls.items():
                eligible = {
                    each["eligible"]
                    for each in rows_at(other, "attempts", "call_id", call)
                    if each["attempt"] == row["attempt"]
                }
                was_held = row["eligible"] > row["queued"]
                if eligible != {row["eligible"]} and (eligible or was_held):
                    return False
        return True

    def _order(self, less: dict[int, Row], more: dict[int, Row]) -> int:
        """Other calls go first than did."""
        campaigns = [[self.scene.campaign(call) for call in each] for each in (less, more)]
        if {*campaigns[0], *campaigns[1]} == {campaigns[0][0]} and self._are_of_other_zones(
            campaigns[0][0], [*less, *more]
        ):
            return 9
        background = [{each.background for each in side} for side in campaigns]
        if len(background[0]) == len(background[1]) == 1 and background[0] != background[1]:
            return 14
        return 8 if self._retry_has_another_place(more) else 3

    def _are_of_other_zones(self, campaign: CampaignPlan, calls: list[int]) -> bool:
        """Whether calls of a campaign wait for windows of their own."""
        zones = {int(campaign.zones[call - campaign.first_call_id]) for call in calls}
        return bool(campaign.rules.lane_zones) and len(zones) > 1

    def _retry_has_another_place(self, more: dict[int, Row]) -> bool:
        """Whether a call goes before an older one of its campaign, and one of them is a retry.

        Which campaign goes first is the queue's matter; within a campaign, a retry changes
        places only where it enters elsewhere than at the tail.
        """
        if DISCIPLINES[self.scene.plan.platform.queue].retries_last:
            return False
        return any(
            older.queued < row["queued"]
            and not older.held
            and (older.attempt > 1) != (row["attempt"] > 1)
            and self.scene.campaign(older.call_id) is self.scene.campaign(call)
            for call, row in more.items()
            for older in self.scene.queue
        )


def _eligible(records: Records, rows: dict[int, Row]) -> dict[int, int]:
    """When calls that are not dispatched in a run may go in it, where something held them back."""
    return {
        call: row["eligible"]
        for call, known in rows.items()
        for row in rows_at(records, "attempts", "call_id", call)
        if row["attempt"] == known["attempt"] and row["eligible"] > row["queued"]
    }
