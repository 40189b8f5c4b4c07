"""Has final results posted to real handlers, and brings back what these answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from time import perf_counter
from typing import Any

from outsim.live.board import Board
from outsim.live.campaigns import SessionCampaign
from outsim.live.planning import SessionPlan
from outsim.live.run import OpenPost
from outsim.live.views import Post, Poster, Reply
from outsim.live.waiting import Waiting, Work


class Posting:
    """Posts of a session to real handlers.

    Parameters
    ----------
    session, board : SessionPlan, Board
        Whose posts, and what they say.
    waiting : Waiting
        An advancing clock waits for them.
    poster : callable, optional
        Posts to a handler; without one, nothing is posted.
    committed : callable
        Waits until all that a post tells is durable.
    answered : callable
        Takes what became of a post, and the wall time that it took.
    """

    def __init__(
        self,
        session: SessionPlan,
        board: Board,
        waiting: Waiting,
        poster: Poster | None,
        committed: Callable[[], Awaitable[None]],
        answered: Callable[[OpenPost, Reply, float], Awaitable[None]],
    ) -> None:
        self._session = session
        self._board = board
        self._waiting = waiting
        self._poster = poster
        self._committed = committed
        self._answered = answered

    def send(
        self, post: OpenPost, now: int, *, is_resent: bool = False
    ) -> Coroutine[Any, Any, None] | None:
        """What posts it; an advancing clock waits from now on. None without a poster."""
        if self._poster is None:
            return None
        campaign = self._session.of_rank(post.call.campaign.plan.rank)
        view = self.view(campaign, post.call.index, post.number, now, is_resent=is_resent)
        work = self._waiting.begin(f"the answer of {view.url} about call {view.call.call_id}")
        return self._post(post, view, work, self._poster)

    def view(
        self, campaign: SessionCampaign, index: int, number: int, now: int, *, is_resent: bool
    ) -> Post:
        """A post about a call, as a poster gets it."""
        assert campaign.entry is not None
        assert campaign.plan.result_url is not None
        return Post(
            call=self._board.call(campaign, index),
            url=campaign.entry.result_url or "",
            number=number,
            begun_at=now,
            timeout_us=self._session.endpoints[campaign.plan.result_url.endpoint].timeout_us,
            is_resent=is_resent,
        )

    async def _post(self, post: OpenPost, view: Post, work: Work, poster: Poster) -> None:
        with self._waiting.at_work(work):
            # A handler may pass on what it hears: after a crash, time must not be before it.
            await self._committed()
            began = perf_counter()
            try:
                reply = await poster(view)
            except Exception:
                reply = Reply("unreachable")
            await self._answered(post, reply, perf_counter() - began)
