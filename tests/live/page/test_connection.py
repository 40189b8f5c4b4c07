"""A page whose sandbox is gone says so and takes no orders; a new session is told as one."""

from __future__ import annotations

import socket

from playwright.sync_api import expect


def test_a_lost_connection_locks_the_room_and_a_new_session_is_told_as_one(serve, browser, files):
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    # What the browser notes of refused connections is meant here: the page is opened without
    # being watched for errors.
    context = browser.new_context()
    page = context.new_page()
    clock = page.get_by_role("timer", name="Simulated time")
    try:
        with serve(files[0], "--held", "--port", port) as opened:
            page.goto(f"{opened.url}/operator")
            expect(clock).to_contain_text("09:00:00 (held)")
            expect(page.locator("#main")).not_to_have_attribute("inert", "")
        expect(clock).to_contain_text("Connection lost: this page is as it was")
        expect(page.locator("#main")).to_have_attribute("inert", "")
        with serve(files[0], "--held", "--port", port):
            expect(page.get_by_role("status").filter(has_text="is gone")).to_contain_text(
                "the sandbox was started anew, and this is the new one"
            )
            expect(page.locator("#main")).not_to_have_attribute("inert", "")
            expect(clock).to_contain_text("09:00:00 (held)")
    finally:
        context.close()
