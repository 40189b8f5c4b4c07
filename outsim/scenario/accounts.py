"""Logins of tenants: what the sandbox asks its clients for. No run depends on them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256
from typing import Annotated

from pydantic import Field

from outsim.scenario.parts import Name, Part

ONLY_TENANT = "customer"
"""Tenant of a scenario that has none."""

Secret = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[!-~]+$")]
"""Printable ASCII without spaces: it travels in a header."""


class Account(Part):
    """How clients of a tenant log in to the sandbox."""

    tenant: Name
    """The customer whose account it is; it need have no campaign."""
    login: Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[!-9;-~]+$")]
    """Login name, or the e-mail address that goes with a developer key; no colon."""
    pin: Annotated[str, Field(min_length=1, max_length=16, pattern=r"^[!-~]+$", repr=False)]
    """PIN of DEV requests, and the password of call logs."""
    developer_key: Annotated[Secret | None, Field(repr=False)] = None
    """Password of Fuse requests; default: made up."""
    token: Annotated[Secret | None, Field(repr=False)] = None
    """Bearer token of the scheduling and pacing interface; default: made up."""
    is_active: bool = True
    """Whether it may log in: an account that may not has an answer of its own."""


def made_up(purpose: str, login: str, length: int = 12) -> str:
    """Text that stands in for a secret nobody has written; the same in every process."""
    return sha256(f"{purpose} of {login}".encode()).hexdigest()[:length]


def made_up_account(tenant: str) -> Account:
    """Account of a tenant for whom the scenario has none."""
    login = re.sub(r"[^a-z0-9]+", "-", tenant.lower()).strip("-")
    login = login or f"tenant-{made_up('login', tenant, 6)}"
    pin = f"{int(made_up('pin', login), 16) % 10**6:06}"
    return Account(tenant=tenant, login=login, pin=pin)


def all_accounts(written: Iterable[Account], tenants: Iterable[str]) -> tuple[Account, ...]:
    """The accounts that are written, and one for each tenant that has none, keys and tokens too.

    A login that is written stays with its tenant: a made-up one that is the same is left out.
    """
    accounts = list(written)
    tenants = list(dict.fromkeys(tenants)) or ([] if accounts else [ONLY_TENANT])
    logins = {account.login for account in accounts}
    for tenant in tenants:
        if not any(account.tenant == tenant for account in accounts):
            made = made_up_account(tenant)
            if made.login not in logins:
                logins.add(made.login)
                accounts.append(made)
    return tuple(
        account.model_copy(
            update={
                "developer_key": account.developer_key or f"key-{made_up('key', account.login)}",
                "token": account.token or f"token-{made_up('token', account.login)}",
            }
        )
        for account in accounts
    )
