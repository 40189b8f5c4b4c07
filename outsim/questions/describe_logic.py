"""What scenario and code say of objectives and logic; see `outsim.questions.describe`."""

from __future__ import annotations

from collections.abc import Callable

from outsim.engine.records import MODEL_VERSION
from outsim.engine.rules import RULES
from outsim.estimates import LEVEL
from outsim.questions.describe_parts import (
    Subject,
    Table,
    Told,
    called,
    referred,
    rule_told,
    rules_told,
    said_of,
    value_of,
)
from outsim.results.measures import MEASURES
from outsim.scenario.background import Background
from outsim.scenario.campaigns import Campaign
from outsim.scenario.difference import differences
from outsim.vocabulary import DISCIPLINES, OUTCOMES, STATUSES


def _purpose(subject: Subject) -> Told:
    said, gaps = said_of(
        subject, "purpose", "why this scenario was made and what is decided by it"
    )
    return Told(
        (
            *said,
            "The model is outsim's: a shared, multi-tenant outbound calling platform. It tells "
            "what happens to every call of every campaign, and what the customer sees of it and "
            "when. It is for planning capacity, for analysis, and for tests of queue behaviour.",
        ),
        gaps,
    )


def _outputs(subject: Subject) -> Told:
    study = subject.scenario.campaign_under_study
    of = f"of the campaign under study, {called(study)}" if study else "of all calls"
    rows = tuple(
        (
            each.label_at(subject.scenario.deadline),
            each.name,
            (each.compute.__doc__ or "").partition("\n\n")[0].rstrip("."),
        )
        for each in MEASURES
    )
    return Told(
        (
            f"Figures {of}, from the records of the whole run, after it has ended. A figure that "
            "the run was too short for is missing, never guessed.",
            f"Each is given as its mean over replications with a {LEVEL:.0%} confidence interval; "
            "see 4.3.",
        ),
        table=Table(("figure", "name", "definition"), rows),
    )


def _aims(subject: Subject) -> Told:
    said, gaps = said_of(subject, "aims", "what is tried out, and why these scenarios were chosen")
    scenarios = (subject.scenario, *subject.others)
    names = "; ".join(each.name for each in scenarios)
    return Told((*said, f"Scenarios described here: {names}."), gaps)


# 2 Logic

_DIAGRAM = """\
campaigns of the scenario     background tenants
list, count or requests       drawn in each replication
        |                              |
        +---------------+--------------+
                        v
   scheduled; loader {loader}, pacing
                        |
                        v
+---> outbound queue ({queue})
|                       |
|                       v
|  dispatch: {ports} ports, {rate}, burst {burst}
|                       |
|                       v
|  dial work {dial}, {workers} workers
|                       |
|                       v
|  carrier: {carrier}, {channels} channels
|       | refuses                 | admits
|       v                         v
|  congestion             ring, answer, talk
|       |                         |
+-------+--- retry interval ------+
  attempts left, unless answered  |
                                  v
          completed, failed, canceled, expired

every change of status
        |
        v
backlog of updates, first in, first out
        |
        v
workers, while no dial work waits: {status} each
        |
        v
visible to the customer, then POST to result_url"""


def _overview(subject: Subject) -> Told:
    diagram = _DIAGRAM.format(
        loader=value_of(subject, "platform.loader_rate"),
        queue=value_of(subject, "platform.queue"),
        ports=value_of(subject, "platform.ports"),
        rate=value_of(subject, "platform.dial_rate"),
        burst=value_of(subject, "platform.dial_burst"),
        dial=value_of(subject, "platform.dial_work"),
        status=value_of(subject, "platform.status_work"),
        workers=value_of(subject, "platform.workers"),
        carrier=value_of(subject, "carrier.rate"),
        channels=value_of(subject, "carrier.channels"),
    )
    return Told(
        ("The way of a call through the platform, with this scenario's values.",), (), diagram
    )


def _logic(_: Subject) -> Told:
    return Told(
        (
            f"The model (version {MODEL_VERSION}) has {len(RULES)} rules. They are carried out by "
            "two engines, a readable one and a quick one, whose records are equal.",
            *(rule_told(rule) for rule in RULES),
        )
    )


def _scenario_logic(subject: Subject) -> Told:
    if not subject.others:
        return Told(
            (
                "One scenario is described, so that there is none to differ from it. Given "
                "others, a description lists every key in which they differ.",
            )
        )
    rows = tuple(
        (other.name, each.key, each.left, each.right)
        for other in subject.others
        for each in differences(subject.scenario, other)
    )
    return Told(
        (
            f"Differences from the base case, {subject.scenario.name}, in what the "
            "scenarios mean. The rules are the same in all of them.",
        ),
        table=Table(("scenario", "key", "base case", "here"), rows),
    )


def _algorithms(subject: Subject) -> Told:
    return Told(
        (
            DISCIPLINES[subject.scenario.platform.queue].rule,
            "Rates are token buckets in integers, full at the start; pacing is one of a single "
            "token.",
            referred(7, 14),
        )
    )


def _components(_: Subject) -> Told:
    return Told(("In five parts.",))


def _entities(subject: Subject) -> Told:
    rows = [_campaign_row(each) for each in subject.scenario.campaign]
    if subject.scenario.background is not None:
        rows.append(_background_row(subject.scenario.background))
    return Told(
        (
            "A tenant is a customer of the platform. A campaign is a tenant's list of contacts. A "
            "call is one contact's place in a campaign. An attempt is one dial of a call. An "
            "update is one change of a call's status. A delivery is one POST to a result_url.",
            f"Statuses of a call: {', '.join(STATUSES)}. Outcomes of an attempt: "
            f"{', '.join(OUTCOMES)}.",
        ),
        table=Table(("campaign", "start", "calls", "most retries"), tuple(rows)),
    )


def _campaign_row(campaign: Campaign) -> tuple[str, str, str, str]:
    size = "by request"
    if campaign.contact_list is not None:
        size = f"{len(campaign.contact_list):,} rows of a list"
    elif campaign.contacts is not None:
        size = f"{campaign.contacts:,}"
    return called(campaign), f"{campaign.start:%H:%M}", size, str(campaign.max_retry)


def _background_row(background: Background) -> tuple[str, str, str, str]:
    return (
        f"background: {background.campaigns_per_hour} campaigns an hour of "
        f"{background.tenants} tenants",
        "drawn",
        f"lognormal, median {background.median_size:,}",
        str(background.max_retry),
    )


def _activities(_: Subject) -> Told:
    return Told((referred(2, 4, 6, 7, 8, 10, 11),))


def _resources(subject: Subject) -> Told:
    used = {
        "platform.ports": "an attempt holds one from dispatch to its end",
        "platform.dial_rate": "each dispatch takes a token",
        "platform.workers": "dial work of attempts, and status updates",
        "carrier.rate": "each attempt that the carrier admits takes a token",
        "carrier.channels": "an attempt holds one from admission to its end",
        "platform.delivery_pool": "a post to a result_url holds one until it is answered",
    }
    rows = tuple((key, value_of(subject, key), use) for key, use in used.items())
    return Told(table=Table(("resource", "here", "used by"), rows))


def _queues(_: Subject) -> Told:
    return Told(
        (
            *rules_told(3, 5),
            "Status updates and posts wait first in, first out. No queue has a limit. Calls leave "
            "the outbound queue undialled only by expiry, or by a stop that reaches it.",
        )
    )


def _entry_exit(_: Subject) -> Told:
    return Told(
        (
            *rules_told(1, 14),
            "A call leaves with its final status: completed, failed, canceled, expired, or "
            "rejected on entry. A wedged call never leaves.",
        )
    )


# 3 Data


TEXTS: dict[str, Callable[[Subject], Told]] = {
    "1.1": _purpose,
    "1.2": _outputs,
    "1.3": _aims,
    "2.1": _overview,
    "2.2": _logic,
    "2.3": _scenario_logic,
    "2.4": _algorithms,
    "2.5": _components,
    "2.5.1": _entities,
    "2.5.2": _activities,
    "2.5.3": _resources,
    "2.5.4": _queues,
    "2.5.5": _entry_exit,
}
"""What is told of each item, by its number."""
