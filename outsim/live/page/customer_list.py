"""The form by which a customer hands in a contact list: the same as `queuecalls.php`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from io import BytesIO

from fastapi import UploadFile
from nicegui import ui
from nicegui.events import UploadEventArguments

from outsim.live.http.dev import queue_list
from outsim.live.http.fields import QueueCalls
from outsim.live.inbox import INBOX_PATH
from outsim.live.page.orders import Fields, Notice, in_one_line
from outsim.live.page.parts import words
from outsim.live.page.rows import Column, Rows
from outsim.live.page.session import Page
from outsim.live.views import Submitted
from outsim.scenario.accounts import Account

FIELDS = (
    "campaign_name",
    "start_url",
    "result_url",
    "max_retry",
    "retry_interval",
    "scheduled_time",
    "expiration_time",
    "message_reference",
    "call_parameters",
    "campaign_parameters",
)
LABELS = {
    "scheduled_time": "dialed from (scheduled time)",
    "expiration_time": "dialed until (expiration time)",
}
LIST = "phone_number_list"
MOST_REJECTED = 1_000
"""Rejected rows that are listed."""


class FileInput(ui.upload, component="file_input.js"):
    """A file that is chosen as the browser has it, with the label it is read out by."""


class QueueList:
    """Takes a list and the terms of its calls.

    Parameters
    ----------
    page : Page
        Where it is handed in.
    account : callable
        Whose list it is.
    on_taken : callable
        Told which campaign it became.
    """

    def __init__(
        self,
        page: Page,
        account: Callable[[], Account],
        on_taken: Callable[[str], Awaitable[None]],
    ) -> None:
        self._page, self._account, self._on_taken = page, account, on_taken
        self._file: tuple[str, bytes] | None = None
        """Name and content of the list that was chosen."""
        words("h2", "Queue calls")
        words("p", in_one_line(QueueCalls.model_fields[LIST].description)).classes("note")
        self._upload = FileInput(
            label="Phone number list",
            max_file_size=page.context.settings.most_body,
            on_upload=self._keep,
        )
        self._upload.on_rejected(self._refuse).on("removed", self._forget)
        own = str(ui.context.client.request.base_url).rstrip("/") + INBOX_PATH
        self._fields = Fields(
            QueueCalls,
            FIELDS,
            values={"start_url": f"{own}start", "result_url": f"{own}results"},
            labels=LABELS,
        )
        ui.button("Queue calls", on_click=self._queue)
        self._notice = Notice()
        self._rejected = Rows(
            "Rows that can't be dialed",
            [
                Column("row", "Row", "number"),
                Column("text", "Number", "long"),
                Column("reason", "Reason", "long"),
            ],
        )
        self._rejected.set_visibility(False)

    async def _keep(self, event: UploadEventArguments) -> None:
        self._file = event.file.name, await event.file.read()

    def _refuse(self) -> None:
        self._file = None
        most = self._page.context.settings.most_body
        self._notice.say(f"{LIST}: one file of at most {most:,} bytes is taken.", is_error=True)

    def _forget(self) -> None:
        self._file = None

    async def _queue(self) -> None:
        self._rejected.set_visibility(False)
        context, account, values = self._page.context, self._account(), self._fields.values
        if self._file is not None:
            name, content = self._file
            values[LIST] = UploadFile(BytesIO(content), filename=name)
        with self._notice.refusals(), context.sandbox.busy("a list that is handed in"):
            login = context.logins.by_pin(account.login, account.pin)
            calls = QueueCalls(login=account.login, pin=account.pin, **values)
            wanted, submitted = await queue_list(context, login, calls)
            if context.loses_answer(wanted):
                self._notice.say("No answer: the connection was cut, as ordered.", is_error=True)
            else:
                self._answer(submitted)
            await self._on_taken(submitted.campaign)

    def _answer(self, submitted: Submitted) -> None:
        rejected = len(submitted.rejected)
        queued = len(submitted.call_ids) - rejected
        is_held = self._page.context.sandbox.clock.state != "free"
        self._notice.say(
            f"{submitted.campaign}: {queued:,} calls queued, {rejected:,} rows rejected."
            f"{' Move the clock to have them dialed.' if is_held else ''}"
        )
        self._upload.reset()
        self._file = None
        self._fields["campaign_name"].set_value("")
        listed = submitted.rejected[:MOST_REJECTED]
        self._rejected.show(
            [
                {"key": row.row, "row": f"{row.row + 1:,}", "text": row.text, "reason": row.reason}
                for row in listed
            ],
            f"Rows that can't be dialed, {len(listed):,} of {rejected:,}",
        )
        self._rejected.set_visibility(bool(rejected))
