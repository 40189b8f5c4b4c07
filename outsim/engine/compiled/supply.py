"""Hands the kernel what it asks for: the calls of a campaign, and what the tape says of them.

Nothing is drawn before the first call gets there, so a campaign that never gets
its turn costs nothing.
"""

from __future__ import annotations

import numpy as np

from outsim.clock import MISSING, NEVER
from outsim.engine.compiled.layout import CALL
from outsim.engine.compiled.state import Array, State, address_of
from outsim.plan import CampaignPlan, Plan
from outsim.vocabulary import SCHEDULED


def _call(rank: int, campaign: CampaignPlan) -> Array:
    """A call that nothing has happened to yet, of shape (1,)."""
    call: Array = np.zeros(1, CALL)
    call["last_failure_at"] = call["final_at"] = MISSING
    call["campaign"], call["zone"] = rank, campaign.zone
    call["number"], call["status"] = 1, SCHEDULED
    return call


def hand_times(state: State, rank: int, campaign: CampaignPlan) -> None:
    """Give a run the times that a campaign's calls bring with them (rule 16)."""
    row = state.arrays["campaigns"][rank]
    if not campaign.is_refusable_list:
        _hand_order(state, rank, campaign, campaign.ready_us)
    if campaign.own_expires_us is not None:
        row["own_expires_us"] = state.keep(campaign.own_expires_us, np.int64)
        row["expiry_order"] = state.keep(campaign.expiry_order, np.int64)


def _hand_order(state: State, rank: int, campaign: CampaignPlan, ready_us: Array) -> None:
    """Give a run the order in which a campaign's calls are loaded, if not that of the list."""
    order = campaign.loading_order(ready_us)
    if order is not None:
        state.arrays["campaigns"][rank]["loading_order"] = state.keep(order, np.int64)


def hand_calls(state: State, rank: int, campaign: CampaignPlan) -> None:
    """Give a run the calls of a campaign, before the first thing happens to one of them."""
    row, contacts = state.arrays["campaigns"][rank], campaign.contacts
    accepted = campaign.accepted
    if not campaign.is_refusable_list:
        row["ready_us"] = state.keep(campaign.ready_us, np.int64)
    if len(campaign.rules.asks_again_us):
        row["asks_again_after_us"] = state.keep(campaign.asks_again_after_us, np.int64)
    if campaign.requests_us is not None:
        row["requests_us"] = state.keep(campaign.requests_us, np.int64)
    if state.platform[0]["by_expiry"]:
        row["call_expires_us"] = state.keep(campaign.call_expires_us, np.int64)
    hand_times(state, rank, campaign)
    row["unfinished"] = len(accepted) - int(contacts.wedged[accepted].sum())
    row["handed_in"] = 1
    first = campaign.first_call_id
    calls = state.arrays["calls"][first : first + campaign.size]
    # Whole words: numpy copies rows field by field.
    calls.view(np.int64).reshape(campaign.size, CALL.itemsize // 8)[:] = _call(
        rank, campaign
    ).view(np.int64)
    calls["trait"] = contacts.trait
    calls["wedged"] = contacts.wedged
    if campaign.opening is not None:
        calls["attempts"] = campaign.opening.attempts
        calls["number"] = campaign.opening.attempts + 1
        calls["failures"] = campaign.opening.failures
        calls["last_failure_at"] = campaign.opening.last_failure_us
    if campaign.zone_of_row is not None:
        calls["zone"] = campaign.zones
    if campaign.missing_ani.any():
        calls["missing_ani"] = campaign.missing_ani
    if len(accepted) < campaign.size or campaign.refusable_from_us < NEVER:
        calls["status"] = campaign.first_statuses


def hand_loading(state: State, rank: int, campaign: CampaignPlan) -> tuple[int, int] | None:
    """Give a run the instants at which the rows of a list are loaded, now that it was taken.

    It returns which row is loaded first, and when; None if there is none to load.
    """
    row = state.arrays["campaigns"][rank]
    ready_us = campaign.list_ready_us(int(state.arrays["requests"][row["request"]]["taken"]))
    row["ready_us"] = state.keep(ready_us, np.int64)
    accepted = campaign.accepted
    if len(accepted) == 0:
        row["loading"] = campaign.size
        return None
    _hand_order(state, rank, campaign, ready_us)
    first = int(accepted[np.argmin(ready_us[accepted])])
    row["loading"] = 0 if row["loading_order"] else first
    return first, int(ready_us[first])


class Draws:
    """Everything that was drawn so far; branches of a run share it, as the tape is the same."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._attempts: dict[tuple[int, int], tuple[int, int, int, int, int]] = {}
        self._posts: dict[tuple[int, int], tuple[int, int]] = {}
        self._references: list[Array] = []

    def _address(self, array: Array) -> int:
        self._references.append(array)
        return address_of(array)

    def hand_opening(self, state: State, rank: int) -> None:
        """Give a run the draws that a campaign's calls need where they stand to begin with."""
        opening = self.plan.campaigns[rank].opening
        if opening is not None:
            for over in np.unique(opening.attempts).tolist():
                # Of what is over, a stop; of what is to come, the queue.
                self.hand_attempts(state, rank, over)
                self.hand_attempts(state, rank, over + 1)

    def hand_attempts(self, state: State, rank: int, attempt: int) -> None:
        """Give a run the draws of a campaign's attempts with this number, 0 for none yet."""
        campaign = self.plan.campaigns[rank]
        addresses = self._attempts.get((rank, attempt))
        if addresses is None:
            updates = campaign.updates(attempt)
            rows = dial_work = jitter = 0
            if attempt > 0:
                draws = campaign.attempts(attempt)
                rows, dial_work = self._address(draws.rows), self._address(draws.dial_work_us)
                retries = campaign.rules.retries
                if retries is not None and retries.has_jitter:
                    jitter = self._address(campaign.retry_jitter(attempt))
            lost, status_work = self._address(updates.lost), self._address(updates.status_work_us)
            addresses = self._attempts[rank, attempt] = rows, lost, dial_work, status_work, jitter
        first = int(state.arrays["campaigns"][rank]["blocks"])
        state.arrays["blocks"][first + attempt] = addresses
        if campaign.result_url is not None:
            self.hand_posts(state, rank, 1)

    def hand_known(self, state: State) -> None:
        """Give a run all that was drawn already, so that it need not ask for it."""
        campaigns = state.arrays["campaigns"]
        for (rank, attempt), blocks in self._attempts.items():
            state.arrays["blocks"][int(campaigns[rank]["blocks"]) + attempt] = blocks
        for (rank, post), addresses in self._posts.items():
            state.arrays["posts"][int(campaigns[rank]["posts"]) + post] = addresses

    def hand_posts(self, state: State, rank: int, post: int) -> None:
        """Give a run the draws of a campaign's posts with this number."""
        addresses = self._posts.get((rank, post))
        if addresses is None:
            draws = self.plan.campaigns[rank].posts(post)
            addresses = self._address(draws.latency_ms), self._address(draws.fails)
            self._posts[rank, post] = addresses
        first = int(state.arrays["campaigns"][rank]["posts"])
        state.arrays["posts"][first + post] = addresses
