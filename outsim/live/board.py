"""What becomes of the calls of the scenario's and submitted campaigns, kept as it happens."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from outsim.clock import MISSING
from outsim.engine.readable.intake import Request
from outsim.engine.readable.state import Attempt, CampaignState, Update
from outsim.engine.records import (
    ATTEMPT_TYPES,
    DELIVERY_TYPES,
    REQUEST_TYPES,
    UPDATE_TYPES,
    AttemptRecord,
    DeliveryRecord,
    RequestRecord,
    UpdateRecord,
)
from outsim.live.campaigns import SessionCampaign
from outsim.live.followed import FollowedTable
from outsim.live.planning import SessionPlan
from outsim.live.views import (
    EventKind,
)
from outsim.plan import CampaignPlan
from outsim.vocabulary import (
    ACCEPTED,
    FIRST_FINAL,
    OUTCOMES,
    POST_RESULTS,
    RECENT_UPDATES,
    REFUSED,
    SCHEDULED,
    STATUSES,
)

Tell = Callable[[EventKind, CampaignPlan, int, str, int], None]
"""Told of what happens: kind, whose campaign, call_id, word, and number of attempt or post."""


@dataclass
class Coming:
    """What is still to come: of a campaign, of a tenant, or of all."""

    unfinished: int = 0
    """Campaigns with calls that will still get a final status."""
    unprocessed: int = 0
    """Changes that will be visible once a worker, or reconciliation, gets to them."""
    owed: int = 0
    """Calls whose final result is due and not yet delivered or given up."""

    @property
    def is_nothing(self) -> bool:
        """Whether all statuses are final and visible, and no post is owed."""
        return self.unfinished == self.unprocessed == self.owed == 0


class Followed:
    """One campaign: for each call its rows, and its status as it is and as it is seen."""

    def __init__(self, state: CampaignState, coming: Sequence[Coming]) -> None:
        self.state = state
        self.coming = coming
        """Of the campaign, of its tenant, and of all."""
        self.status = bytearray(call.status for call in state.calls)
        self.visible = bytearray(self.status)
        self.visible_place = array("q", [-1]) * len(state.calls)
        self.attempts: defaultdict[int, list[int]] = defaultdict(list)
        self.updates: defaultdict[int, list[int]] = defaultdict(list)
        self.counts = Counter(self.status)
        self.visible_counts = Counter(self.status)
        self.is_over = state.unfinished == 0
        self._wedged = np.frombuffer(state.wedged, np.bool_)
        self.dispatched = array("q")
        """Rows of its attempts, in the order of dispatch."""
        self.waiting = 0
        self.lags_us: deque[int] = deque(maxlen=RECENT_UPDATES)

    def counts_at(self, plan: CampaignPlan, now: int) -> tuple[Counter[int], Counter[int]]:
        """Calls that are handed in by now: by status as it is, and as it is seen."""
        if plan.requests_us is None and plan.submitted_us <= now:
            return self.counts, self.visible_counts
        are_in = plan.submitted_at_us <= now
        statuses, visible = (
            Counter(np.frombuffer(codes, np.uint8)[are_in].tolist())
            for codes in (self.status, self.visible)
        )
        return statuses, visible

    def places(self, plan: CampaignPlan, now: int, *, are_pending: bool) -> list[int]:
        """Calls in so far that are seen as pending, in order; or over, the last to end first."""
        are_over = np.frombuffer(self.visible, np.uint8) >= FIRST_FINAL
        found = np.flatnonzero((are_over != are_pending) & (plan.submitted_at_us <= now))
        if not are_pending:
            shown = np.frombuffer(self.visible_place, np.int64)[found]
            found = found[np.argsort(-shown, kind="stable")]
        return found.tolist()

    @property
    def wedged(self) -> int:
        """Calls that are pending and never go out."""
        is_pending = np.frombuffer(self.status, np.uint8) < FIRST_FINAL
        return int(np.count_nonzero(is_pending & self._wedged))


class Board:
    """Follows a run, and shows its calls, campaigns and deliveries.

    Parameters
    ----------
    session : SessionPlan
        Names and lists of whatever is followed.
    tell : callable
        Told of everything that happens to it.
    """

    def __init__(self, session: SessionPlan, tell: Tell) -> None:
        self.session = session
        self.attempts = FollowedTable[AttemptRecord](ATTEMPT_TYPES, self._dispatched, self._ended)
        self.updates = FollowedTable[UpdateRecord](UPDATE_TYPES, self._changed, self._processed)
        self.deliveries = FollowedTable[DeliveryRecord](
            DELIVERY_TYPES, self._post_due, self._post_ended
        )
        self.requests = FollowedTable[RequestRecord](REQUEST_TYPES, lambda _: None, self._answered)
        self._coming: defaultdict[str | None, Coming] = defaultdict(Coming)
        """By tenant; None is all."""
        self._reconciles = session.base.platform.reconciliation_us > 0
        self.statuses: dict[tuple[int, int], int] = {}
        """HTTP status of the answer to a post, by call and number of the post."""
        self.errors: dict[tuple[int, int], str] = {}
        """Why a poster failed, likewise."""
        self._tell = tell
        self._followed: dict[int, Followed] = {}
        self._attempts_of: dict[str, list[int]] = {}
        """Rows of attempts by tenant, in the order of dispatch."""
        self._posts: defaultdict[str | None, array[int]] = defaultdict(lambda: array("q"))
        """Rows of deliveries that are shown, by tenant; None is all."""
        self._posts_of: dict[int, list[int]] = {}

    def follow(self, state: CampaignState) -> None:
        """Follow a campaign from now on."""
        coming = (Coming(), self._coming[state.plan.tenant], self._coming[None])
        self._followed[state.plan.rank] = Followed(state, coming)
        for whose in coming:
            whose.unfinished += state.unfinished > 0

    def _dispatched(self, row: AttemptRecord) -> None:
        assert isinstance(row, Attempt)
        found = self._followed.get(row.call.campaign.plan.rank)
        if found is not None:
            found.attempts[row.call.index].append(row.place)
            found.dispatched.append(row.place)
            self._attempts_of.setdefault(found.state.plan.tenant, []).append(row.place)
            self._tell("dialed", found.state.plan, row.call_id, "", row.attempt)

    def _ended(self, row: AttemptRecord) -> None:
        assert isinstance(row, Attempt)
        found = self._followed.get(row.call.campaign.plan.rank)
        if found is not None:
            word = OUTCOMES[row.outcome]
            self._tell("ended", found.state.plan, row.call_id, word, row.attempt)

    def _changed(self, row: UpdateRecord) -> None:
        assert isinstance(row, Update)
        found = self._followed.get(row.call.campaign.plan.rank)
        if found is None:
            return
        index, status = row.call.index, row.status
        found.counts[found.status[index]] -= 1
        found.counts[status] += 1
        found.status[index] = status
        found.updates[index].append(row.place)
        if self._is_awaited(row):
            for whose in found.coming:
                whose.unprocessed += 1
        found.waiting += 1
        plan = found.state.plan
        self._tell("changed", plan, row.call_id, STATUSES[status], row.attempt)
        if status >= FIRST_FINAL:
            self._may_be_over(found)

    def _may_be_over(self, found: Followed) -> None:
        if found.state.unfinished == 0 and not found.is_over:
            found.is_over = True
            for whose in found.coming:
                whose.unfinished -= 1
            self._tell("campaign_over", found.state.plan, -1, "", 0)

    def _answered(self, row: RequestRecord) -> None:
        """A request was taken, or its client has given up."""
        assert isinstance(row, Request)
        found = self._followed.get(row.campaign.plan.rank)
        if found is None:
            return
        if row.taken == MISSING:
            self._may_be_over(found)
            return
        for call in row.calls:
            found.status[call.index] = found.visible[call.index] = SCHEDULED
        for counts in (found.counts, found.visible_counts):
            counts[REFUSED] -= len(row.calls)
            counts[SCHEDULED] += len(row.calls)

    def _processed(self, row: UpdateRecord) -> None:
        assert isinstance(row, Update)
        found = self._followed.get(row.call.campaign.plan.rank)
        if found is None:
            return
        if self._is_awaited(row):
            for whose in found.coming:
                whose.unprocessed -= 1
        if row.visible == MISSING:
            return
        found.waiting -= 1
        found.lags_us.append(row.visible - row.happened)
        index = row.call.index
        if row.place > found.visible_place[index]:
            found.visible_place[index] = row.place
            found.visible_counts[found.visible[index]] -= 1
            found.visible_counts[row.status] += 1
            found.visible[index] = row.status
        self._tell("visible", found.state.plan, row.call_id, STATUSES[row.status], row.attempt)

    def _is_awaited(self, row: Update) -> bool:
        """Whether a change of status will be visible some time."""
        return not row.lost or (self._reconciles and row.is_final)

    def _post_due(self, row: DeliveryRecord) -> None:
        campaign = self.session.campaign_of_call(row.call_id)
        if campaign is None:
            return
        if row.post == 1:
            for whose in self.followed(campaign).coming:
                whose.owed += 1
        for tenant in (None, campaign.plan.tenant):
            self._posts[tenant].append(row.place)
        self._posts_of.setdefault(row.call_id, []).append(row.place)
        self._tell("delivery_due", campaign.plan, row.call_id, "", row.post)

    def _post_ended(self, row: DeliveryRecord) -> None:
        campaign = self.session.campaign_of_call(row.call_id)
        if campaign is None:
            return
        if row.result == ACCEPTED or row.post > len(self.waits(campaign)):
            for whose in self.followed(campaign).coming:
                whose.owed -= 1
        word = POST_RESULTS[row.result]
        self._tell("delivery_ended", campaign.plan, row.call_id, word, row.post)

    def waits(self, campaign: SessionCampaign) -> tuple[int, ...]:
        """Waits between posts to a campaign's endpoint."""
        url = campaign.plan.result_url
        assert url is not None
        return self.session.endpoints[url.endpoint].retry_after_us

    def followed(self, campaign: SessionCampaign) -> Followed:
        """What is kept of a campaign."""
        return self._followed[campaign.plan.rank]

    def coming(self, tenant: str | None = None) -> Coming:
        """What is still to come of a tenant, or of all; it is kept up to date."""
        return self._coming[tenant]

    def coming_of(self, campaign: SessionCampaign) -> Coming:
        """What is still to come of a campaign; it is kept up to date."""
        return self.followed(campaign).coming[0]

    def attempted(
        self, tenant: str, instant: Literal["dispatched", "dialed"]
    ) -> Iterator[tuple[int, int, int]]:
        """An instant of each attempt of a tenant that came to it, its call_id and its number."""
        for place in self._attempts_of.get(tenant, ()):
            at, call_id, attempt = self.attempts.values(place, instant, "call_id", "attempt")
            if at != MISSING:
                yield at, call_id, attempt

    def after_stop(self, campaign: SessionCampaign) -> Sequence[int]:
        """Rows of the attempts of a campaign that were dispatched after its stop was asked for."""
        rows = self.followed(campaign).dispatched
        stopped = campaign.plan.rules.stop_requested_us
        return rows[bisect_left(rows, stopped, key=self._dispatched_at) :]

    def _dispatched_at(self, row: int) -> int:
        return self.attempts.values(row, "dispatched")[0]

    def call_of(self, row: int) -> int:
        """Number of the call that an attempt is of."""
        return self.attempts.values(row, "call_id")[0]

    def places(self, campaign: SessionCampaign, now: int, *, are_pending: bool) -> list[int]:
        """Calls of a campaign that are seen as pending, or as over; see `Sandbox.page_rows`."""
        return self.followed(campaign).places(campaign.plan, now, are_pending=are_pending)

    def posts(self, tenant: str | None = None, call_id: int | None = None) -> Sequence[int]:
        """Rows of the posts of followed calls, of a tenant's, or about one call, in order."""
        if call_id is None:
            return self._posts[tenant]
        about = self._posts_of.get(call_id, ())
        campaign = self.session.campaign_of_call(call_id)
        is_theirs = campaign is not None and tenant in (None, campaign.plan.tenant)
        return about if is_theirs else ()

    def number_of_post(self, row: int) -> int:
        """Which of all posts it is, from 1."""
        return bisect_left(self._posts[None], row) + 1

    def row_of_post(self, number: int) -> int:
        """Row of a post by that number; beyond the last, one that is behind all."""
        rows = self._posts[None]
        return rows[number - 1] if number <= len(rows) else len(self.deliveries)
