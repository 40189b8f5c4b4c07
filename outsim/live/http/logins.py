"""Who a request comes from. Secrets are compared in constant time, and never kept or shown."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable

from outsim.live.http.answers import RefusedError
from outsim.scenario.accounts import Account

NOT_ACTIVE = "this account is not active"
MOST_NAMED = 5
"""Logins that are named at most where one is wrong."""


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


class Logins:
    """The accounts of a sandbox.

    Every account is compared with, whichever fits: how long it takes tells nothing.
    """

    def __init__(self, accounts: Iterable[Account]) -> None:
        self.accounts = tuple(accounts)

    def by_pin(self, login: str, pin: str) -> Account:
        """Account of a login name and PIN: DEV requests and call logs."""
        return self._found("PIN", lambda a: _same(a.login, login) & _same(a.pin, pin))

    def by_developer_key(self, login: str, key: str) -> Account:
        """Account of a login name and developer key: Fuse requests."""
        return self._found(
            "developer key",
            lambda a: _same(a.login, login) & _same(a.developer_key or "", key),
        )

    def by_token(self, token: str) -> Account:
        """Account of a bearer token: scheduling and pacing."""
        return self._found("token", lambda a: _same(a.token or "", token))

    def number_of(self, account: Account) -> int:
        """Place of an account among all, from 1."""
        return 1 + self.accounts.index(account)

    def _found(self, secret: str, fits: Callable[[Account], bool]) -> Account:
        fitting = [account for account in self.accounts if fits(account)]
        if not fitting:
            logins = [account.login for account in self.accounts]
            more = ", ..." if len(logins) > MOST_NAMED else ""
            raise RefusedError(
                401,
                "token is wrong" if secret == "token" else f"login or {secret} is wrong",
                f"a login and its {secret}, from the ready line or the scenario; logins: "
                f"{', '.join(logins[:MOST_NAMED])}{more}",
            )
        if not fitting[0].is_active:
            raise RefusedError(401, NOT_ACTIVE)
        return fitting[0]
