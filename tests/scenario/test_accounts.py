"""Logins of tenants: written, made up, and refused."""

from __future__ import annotations

import pytest

import outsim

CLOCK = {"date": "2026-03-10", "begins": "09:00", "ends": "12:00"}


def scenario(*accounts, tenants=("clinic",)):
    return outsim.load(
        {
            "clock": CLOCK,
            "tenant": [{"name": tenant} for tenant in tenants],
            "account": list(accounts),
        }
    )


def test_a_tenant_without_an_account_gets_one_that_is_always_the_same():
    (made,) = scenario().accounts
    assert (made.tenant, made.login) == ("clinic", "clinic")
    assert made.pin.isdigit()
    assert scenario().accounts == (made,)
    assert scenario(tenants=()).accounts[0].tenant == "customer"


def test_what_is_written_stands_and_the_rest_is_made_up():
    written = {"tenant": "clinic", "login": "desk@clinic.example", "pin": "77"}
    clinic, school = scenario(written, tenants=("clinic", "school")).accounts
    assert (clinic.login, clinic.pin) == ("desk@clinic.example", "77")
    assert clinic.token.startswith("token-")
    assert school.login == "school"


def test_a_made_up_login_never_takes_one_that_is_written():
    written = {"tenant": "clinic", "login": "school", "pin": "77"}
    accounts = scenario(written, tenants=("clinic", "school")).accounts
    assert [account.tenant for account in accounts] == ["clinic"]


def test_secrets_do_not_show_themselves():
    account = scenario().accounts[0]
    for secret in (account.pin, account.developer_key, account.token):
        assert secret not in repr(account)


@pytest.mark.parametrize("login", ["a:b", "a b", "", "x" * 129])
def test_a_login_that_could_not_be_sent_is_refused(login):
    with pytest.raises(outsim.ScenarioError, match=r"account\[0\]\.login"):
        scenario({"tenant": "clinic", "login": login, "pin": "1"})


def test_a_login_belongs_to_one_account():
    account = {"tenant": "clinic", "login": "desk", "pin": "1"}
    with pytest.raises(outsim.ScenarioError, match="found 'desk', which stands twice"):
        scenario(account, account | {"tenant": "school"})


def test_accounts_are_no_difference_between_runs():
    account = {"tenant": "clinic", "login": "desk", "pin": "1"}
    assert outsim.diff(scenario(), scenario(account)).run().differences == ()
