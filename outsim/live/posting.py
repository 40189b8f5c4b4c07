"""Has final results posted to real handlers, and brings back what these answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, get_args
from warnings import warn

from outsim.errors import SandboxError, unknown_name
from outsim.live.board import Board
from outsim.live.campaigns import SessionCampaign
from outsim.live.inputs import Answer, PostResult
from outsim.live.planning import SessionPlan
from outsim.live.run import OpenPost
from outsim.live.showing import call_view
from outsim.live.views import Post, Poster, Reply
from outsim.live.waiting import Waiting, Watch, Work
from outsim.text import shortened
from outsim.vocabulary import FIRST_CALL_ID

POST_RESULTS = get_args(PostResult)
LONGEST_REPLY_S = 1e6
LONGEST_ERROR = 200


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
    durable : callable
        Waits until what has been answered is durable.
    answered : callable
        Takes what became of a post, and the wall time that it took. No clock passes the instant
        at which it times out before.
    """

    def __init__(
        self,
        session: SessionPlan,
        board: Board,
        waiting: Waiting,
        poster: Poster | None,
        committed: Callable[[], Awaitable[None]],
        durable: Callable[[], Awaitable[None]],
        answered: Callable[[OpenPost, Work, Reply, float], None],
    ) -> None:
        self._session = session
        self._board = board
        self._waiting = waiting
        self.poster = poster
        self._committed = committed
        self._durable = durable
        self._answered = answered
        self._watch = Watch()
        self._warned_of: set[type[Exception]] = set()

    def send(
        self,
        post: OpenPost,
        now: int,
        limit_s: float,
        until_us: int,
        *,
        is_resent: bool = False,
    ) -> Coroutine[Any, Any, None] | None:
        """What posts it; None without a poster.

        An advancing clock waits from now on, and any other at that instant.
        """
        if self.poster is None:
            return None
        campaign = self._session.of_rank(post.call.campaign.plan.rank)
        view = self.view(campaign, post.call.index, post.number, now, is_resent=is_resent)
        why = f"the answer of {view.url} about call {FIRST_CALL_ID + view.call.call_id}"
        work = Work(why, limit_s, until_us, post.latest_us)
        work.give_up = lambda: self._answered(post, work, Reply("timeout"), 0.0)
        return self._post(post, view, self._waiting.add(work), self.poster)

    def view(
        self, campaign: SessionCampaign, index: int, number: int, now: int, *, is_resent: bool
    ) -> Post:
        """A post about a call, as a poster gets it."""
        assert campaign.entry is not None
        assert campaign.plan.result_url is not None
        return Post(
            call=call_view(self._board, campaign, index),
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
            with self._watch:
                began_s = asyncio.get_running_loop().time()
                try:
                    async with work.limited():
                        reply = await poster(view)
                except TimeoutError:
                    reply = Reply("timeout")
                except Exception as error:
                    reply = Reply("unreachable", error=self._failed(error, view))
                wall_s = max(0.0, self._watch.now_s - began_s)
            _check_reply(reply, view)
            self._answered(post, work, reply, wall_s)
            await self._durable()

    def _failed(self, error: Exception, post: Post) -> str:
        """What a poster failed by; each kind of exception is warned of once."""
        words = shortened(f"{type(error).__name__}: {error}", LONGEST_ERROR)
        if type(error) not in self._warned_of:
            self._warned_of.add(type(error))
            warn(
                f"the poster failed about call {post.call.call_id} ({words}), which counts as "
                "unreachable; deliveries have the error of each post",
                stacklevel=2,
            )
        return words


def answer_of(post: OpenPost, reply: Reply, latency_us: int) -> Answer:
    """What became of a post, as an input."""
    return Answer(
        call_id=post.call.call_id,
        post=post.number,
        result=reply.result,
        latency_ms=max(1, -(-latency_us // 1000)),
        status=reply.status,
        error=reply.error,
    )


def _check_reply(reply: object, post: Post) -> None:
    """Refuse what is no reply: a poster of one's own may return anything."""
    where = f"the poster's reply about call {post.call.call_id}"
    if not isinstance(reply, Reply):
        raise SandboxError(f"{where}: found {reply!r}; return a Reply")
    if reply.result not in POST_RESULTS:
        raise SandboxError(f"{where}: {unknown_name('result', reply.result, POST_RESULTS)}")
    if not isinstance(reply.status, int | None):
        raise SandboxError(f"{where}: status: found {reply.status!r}; must be a number or None")
    if reply.wall_s is not None and not 0 <= reply.wall_s < LONGEST_REPLY_S:
        raise SandboxError(
            f"{where}: wall_s: found {reply.wall_s!r}; must be seconds from 0, or None"
        )
