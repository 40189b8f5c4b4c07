"""What a customer sees of one campaign: its calls, what became of each, and what a stop left."""

from __future__ import annotations

from collections.abc import Callable

from nicegui import ui

from outsim.clock import format_duration
from outsim.live.http.control import stopped_at
from outsim.live.page.orders import Notice
from outsim.live.page.parts import table, words
from outsim.live.page.rows import SIZE, Column, Pager, Rows
from outsim.live.page.session import Page
from outsim.live.page.sheet import Sheet, terms
from outsim.live.page.times import local
from outsim.live.sandbox import Sandbox
from outsim.live.views import CallView, CampaignView, PageRow
from outsim.questions.stop import stop_rule
from outsim.vocabulary import FIRST_CALL_ID, STATUS_TABLE, UNDER_WAY_STATUSES

COLUMNS = (
    Column("number", "Number dialed"),
    Column("ani", "ANI"),
    Column("status", "Status"),
    Column("attempt", "Attempt", "number"),
    Column("callee_type", "Callee type"),
    Column("call_info", "Call info"),
)
TRUTH = (
    Column("true_status", "Status in truth", "truth"),
    Column("true_attempt", "Attempt in truth", "number truth"),
    Column("lag", "Lag", "truth"),
)
COMPLETED = (10, 50, 100, 500, 1_000, 10_000)
"""How many completed entries may be shown."""
AT_FIRST = 100
PENDING, OVER = "Pending", "Completed entries"
LABELS = {row.name: row.label for row in STATUS_TABLE}


class CampaignCalls:
    """The view of one campaign.

    Parameters
    ----------
    page : Page
        Where it is shown.
    with_truth : callable
        Whether what really happened is beside it.
    """

    def __init__(self, page: Page, with_truth: Callable[[], bool]) -> None:
        self._page, self._with_truth = page, with_truth
        self._key: tuple[str, str] | None = None
        self._rows: dict[int, PageRow] = {}
        with ui.element("section") as self._around:
            self._title = words("h2", "")
            self._stopped = words("p", "").classes("notice")
            with ui.element("details") as self._after:
                words("summary", "Which calls went out after the stop")
                self._late = Rows(
                    "Dialed after the stop",
                    [Column("call_id", "call_id"), Column("number", "Number dialed")],
                )
                self._late_pages = Pager("calls after the stop", self.show)
            with ui.element("div").classes("bar"):
                self._which = ui.radio([PENDING, OVER], value=PENDING, on_change=self._choose)
                self._which.props('inline aria-label="Entries"')
                self._most = ui.select(
                    {count: f"{count:,}" for count in COMPLETED},
                    label="Completed entries to show",
                    value=AT_FIRST,
                    on_change=self._choose,
                ).props("dense outlined options-dense")
            self._notice = Notice()
            self._calls = Rows("Calls", COLUMNS, actions={"info": "Call info"}, on_act=self._open)
            self._pages = Pager("calls", self.show)
        self._around.set_visibility(False)
        self._sheet = Sheet()

    def view(self, tenant: str, name: str | None) -> None:
        """Show a campaign, or none."""
        self._key = None if name is None else (tenant, name)
        self._pages.begin = self._late_pages.begin = 0
        self.show()

    def _choose(self) -> None:
        self._pages.begin = 0
        self.show()

    def show(self) -> None:
        """Show it as it is seen now, unless the sandbox was reset and has it no more."""
        sandbox = self._page.context.sandbox
        if self._key is not None and self._key[1] not in sandbox.campaign_names(self._key[0]):
            self._key = None
        self._around.set_visibility(self._key is not None)
        if self._key is None:
            return
        view = sandbox.campaign(*self._key)
        are_pending = self._which.value == PENDING
        pending = view.seen["pending"]
        over = sum(view.seen.values()) - pending
        total = pending if are_pending else min(over, self._most.value)
        self._title.text = f"Calls of {view.name}"
        self._most.set_visibility(not are_pending)
        self._pages.set_total(total)
        begin = self._pages.begin
        found = sandbox.page_rows(
            *self._key, are_pending=are_pending, begin=begin, size=min(SIZE, total - begin)
        )
        self._rows = {row.call_id: row for row in found}
        self._calls.set_columns((*COLUMNS, *TRUTH) if self._with_truth() else COLUMNS)
        self._calls.show(
            [self._cells(row) for row in found],
            f"{PENDING}: {pending:,}" if are_pending else f"{OVER}: {total:,} of {over:,}",
        )
        self._show_stop(view)

    def _cells(self, row: PageRow) -> dict[str, str | int]:
        shown: dict[str, str | int] = {
            "key": row.call_id,
            "number": row.number or "none",
            "ani": row.ani or "none",
            "status": LABELS[row.status],
            "attempt": row.attempt,
            "callee_type": row.callee_type.replace("_", " "),
            "call_info": row.call_info.replace("_", " "),
        }
        if self._with_truth():
            shown |= {
                "true_status": LABELS[row.true_status] + (", wedged" if row.is_wedged else ""),
                "true_attempt": row.true_attempt,
                "lag": lag_in_words(row),
            }
        return shown

    def _show_stop(self, view: CampaignView) -> None:
        stopped = stopped_at(self._page.context, view)
        self._stopped.set_visibility(stopped is not None)
        self._after.set_visibility(stopped is not None)
        if stopped is None:
            return
        sandbox = self._page.context.sandbox
        count = view.dialed_after_stop
        self._stopped.text = (
            f"The stop was asked for at {local(self._page, stopped)}. Dials since then: "
            f"{count:,}. {still_goes_out(sandbox, view)}"
        )
        self._late_pages.set_total(count)
        begin = self._late_pages.begin
        after = sandbox.dialed_after_stop(view.tenant, view.name, begin=begin, size=SIZE)
        self._late.show(
            [
                {
                    "key": place,
                    "call_id": f"{FIRST_CALL_ID + call_id}",
                    "number": sandbox.call(call_id).phone_number,
                }
                for place, call_id in enumerate(after, begin)
            ],
            f"Dialed after the stop: {count:,}",
        )

    def _open(self, _action: str, call_id: int) -> None:
        """The call info, as the page has it; beside it the truth."""
        row = self._rows.get(call_id)
        if row is None:
            return
        cells = self._cells(row)
        with self._notice.refusals(), self._sheet.opened("Call info"):
            details = [(column.label, cells[column.name]) for column in COLUMNS]
            terms([("call_id", f"{FIRST_CALL_ID + call_id}"), *details])
            if self._with_truth():
                self._tell_truth(self._page.context.sandbox.call(call_id), row)

    def _tell_truth(self, call: CallView, row: PageRow) -> None:
        page = self._page
        wedged = " It is wedged: accepted, shown as pending, and never dialed."
        words(
            "p",
            f"In truth it is {LABELS[call.status]}; lag: {lag_in_words(row) or 'none'}."
            f"{wedged if row.is_wedged else ''}",
        )
        table(
            "Changes of status",
            ["status", "attempt", "happened", "seen", "lag"],
            (
                (
                    LABELS[change.status],
                    change.attempt,
                    local(page, change.happened_at),
                    local(page, change.visible_at) or "not yet",
                    "" if change.lag_us is None else format_duration(change.lag_us),
                )
                for change in call.changes
            ),
        )
        table(
            "Attempts",
            ["attempt", "dispatched", "dialed", "answered", "ended", "outcome", "callee type"],
            (
                (
                    dial.attempt,
                    *(
                        local(page, at)
                        for at in (
                            dial.dispatched_at,
                            dial.dialed_at,
                            dial.answered_at,
                            dial.ended_at,
                        )
                    ),
                    dial.outcome.replace("_", " "),
                    dial.callee_type,
                )
                for dial in call.attempts
            ),
        )


def still_goes_out(sandbox: Sandbox, view: CampaignView) -> str:
    """What a stop does not reach, by its rule and as it stands."""
    left = sum(view.counts.get(status, 0) for status in ("queued", *UNDER_WAY_STATUSES))
    why = stop_rule(sandbox.scenario, sandbox.definition(view.tenant, view.name))
    return (
        f"Calls that are queued or being dialed now: {left:,}. Why calls still go out: "
        f"{why[:1].lower()}{why[1:]}."
    )


def lag_in_words(row: PageRow) -> str:
    """How late the customer sees the last change of status, or waits for it."""
    if row.lag_us is None:
        return ""
    lag = format_duration(row.lag_us)
    return f"{lag} and counting" if row.is_behind else lag
