"""Takes what comes from outside into a session: stamps it, logs it, and has it act."""

from __future__ import annotations

from collections.abc import Callable

from outsim.clock import SECOND
from outsim.live.board import Board
from outsim.live.checks import check_input
from outsim.live.inputs import AnyInput, Clock, Note, Submit
from outsim.live.log import InputLog, moment_of
from outsim.live.planning import SessionPlan
from outsim.live.run import LiveRun, OpenPost
from outsim.live.strikes import Strikes
from outsim.vocabulary import NO_REFUSAL

LEASE_S = 1.0
"""Wall time for which a free clock's future is put down in the log at once."""

MOST_OF_NAME = 60
"""Characters that a submission which is refused keeps of its name."""


class Intake:
    """The way into a session, for new inputs and for those that its log has already.

    Parameters
    ----------
    session, log, run, board : SessionPlan, InputLog, LiveRun, Board
        What an input becomes a part of.
    told : callable
        Told of each input that has acted.
    until_us : callable
        Where time stops until it is known what became of a post.
    """

    def __init__(
        self,
        session: SessionPlan,
        log: InputLog,
        run: LiveRun,
        board: Board,
        told: Callable[[AnyInput], None],
        until_us: Callable[[OpenPost], int],
    ) -> None:
        self.notes: list[Note] = []
        """What the interface remembers."""
        self.refusals: dict[int, int] = {}
        """Why submissions were refused, a code of `REFUSAL_TABLE`, by number."""
        self.strikes = Strikes(session)
        self._session = session
        self._log = log
        self._run = run
        self._board = board
        self._told = told
        self._until_us = until_us
        self.leased_us = 0
        """Where a session would go on after a crash, at least, once its log is durable."""

    def replay(self) -> Clock:
        """Have everything act that is in the log, up to its moment; the clock's last order."""
        last = Clock(state="held")
        for entry in self._log:
            self._advance(entry.at)
            self._act(entry)
            if isinstance(entry, Clock):
                last = entry
        self._go_on(min(moment_of(self._log), self._session.base.latest_us))
        self.leased_us = self._run.reached_us
        return last

    def _advance(self, until_us: int) -> None:
        while self._run.reached_us < until_us:
            self._run.advance(until_us)

    def _go_on(self, until_us: int) -> None:
        """Advance beyond the log; a post whose answer is not in it has had no more time."""
        posts = self._run.deliveries
        while True:
            until_us = min([until_us, *map(self._until_us, posts.unanswered())])
            if self._run.reached_us >= until_us:
                return
            self._run.advance(until_us)

    def take(self, entry: AnyInput) -> AnyInput:
        """Stamp an input, append it to the log, and have it act.

        Raises
        ------
        SandboxError
            If it can't be done; it is not in the log then.
        """
        now = self._run.reached_us
        entry = entry.model_copy(update={"at": now, "number": len(self._log) + 1})
        if entry.kind == "submit":
            entry = self._session.named(entry)
        if entry.kind not in ("clock", "answer", "strike"):
            check_input(self._session, entry)
        if entry.kind == "submit" and self._session.base.may_refuse:
            entry = self._judged(entry)
        self._log.append(entry)
        self.leased_us = max(self.leased_us, now)
        self._act(entry)
        return entry

    def _judged(self, entry: Submit) -> Submit:
        """A submission, under a name of its own if intake refuses it: its name is free again."""
        calls = self._session.definition(entry).dialable(1) or 0
        reason = self._run.refusal(entry.tenant, calls)
        if reason == NO_REFUSAL:
            return entry
        self.refusals[entry.number] = reason
        assert entry.campaign is not None
        name = f"{entry.campaign[:MOST_OF_NAME]} refused {entry.number}"
        return entry.model_copy(update={"campaign": name})

    def _act(self, entry: AnyInput) -> None:
        if entry.kind == "strike":
            self.strikes.count(entry.fault)
        if entry.kind == "note":
            self.notes.append(entry)
        if entry.kind == "answer" and entry.status is not None:
            self._board.statuses[entry.call_id, entry.post] = entry.status
        if entry.kind == "answer" and entry.error:
            self._board.errors[entry.call_id, entry.post] = entry.error
        self._run.hand_in_others()
        self._run.apply(self._session.add(entry))
        self._told(entry)

    def lease(self, speed: float, *, is_free: bool) -> None:
        """Put down in the log how far time has passed, and how far a free clock may go on."""
        now, latest_us = self._run.reached_us, self._session.base.latest_us
        ahead_us = round(LEASE_S * speed * SECOND) if is_free else 0
        until_us = min(now + ahead_us, latest_us)
        # In good time: there is half of it left while what is read is made durable.
        if now + ahead_us // 2 > self.leased_us and until_us > self.leased_us:
            self.leased_us = until_us
            self._log.append(
                Clock(
                    at=now,
                    number=len(self._log) + 1,
                    state="free" if is_free else "held",
                    speed=speed,
                    until=until_us,
                )
            )
