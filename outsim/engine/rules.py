"""The rules of the model, by number: what code and docstrings mean by "rule 7".

Each is carried out by both engines, and a test fails when it is taken out.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """One rule of the model."""

    number: int
    name: str
    text: str


RULES: tuple[Rule, ...] = tuple(
    Rule(number, name, " ".join(text.split()))
    for number, (name, text) in {
        1: (
            "submission",
            """
                A campaign has a time of submission and a start; waits count from the later of the
                two. It brings a contact list, a number of contacts, or single-call requests over
                time (a Poisson rate by hour, or recorded times). A row that can't be dialed is
                rejected and listed.""",
        ),
        2: (
            "schedule, loading and pacing",
            """
                Contacts are scheduled until the start. Each campaign has a loader of its own,
                which moves them into the queue in list order. Pacing is a token bucket of one
                token that counts retries too; it acts on entry to the queue, or at dispatch.""",
        ),
        3: (
            "outbound queue",
            """
                One queue for all tenants, first in, first out by time of entry. A call that is
                held back (window, suspension, a limit on simultaneous calls; where the platform
                sees to it, another call of its campaign to its number that is up) keeps its entry
                time and place and blocks nobody. What-ifs: tenants take turns by weight; first
                attempts go first.""",
        ),
        4: (
            "dispatch",
            """
                Dispatch is the instant at which a port and a dial token (rate and burst) are
                taken together. Start, expiry, window, suspension, limits and stop are checked
                then. Dial work then waits for a worker, with the port held; when it ends the
                attempt is at the carrier.""",
        ),
        5: (
            "workers",
            """
                A pool of workers with two priorities, not preemptive: no worker begins a status
                update while dial work waits. The lag of statuses follows from that.""",
        ),
        6: (
            "carrier",
            """
                The carrier admits an attempt by its own token bucket and its channels, of which
                other traffic takes a share that may depend on the minute of the hour; otherwise
                it refuses it (congestion), and nobody's phone rings. A refusal uses up an
                attempt. It is no failure of the callee.""",
        ),
        7: (
            "outcome",
            """
                Invalid number and fax machine are traits of the contact, drawn once. Otherwise
                one uniform number an attempt is held against thresholds in the order human, no
                answer, voicemail, busy. Factors (local hour and weekday of the callee, failed
                attempts so far, optionally the gap since then) scale the human share; what they
                take goes to no answer. An answer after the ring timeout is a no answer. Post-dial
                delay, ring, greeting and talk follow by outcome. What detection reports of an
                answered call is not always what answered.""",
        ),
        8: (
            "retry",
            """
                Busy, no answer and congestion come back at the tail of the queue after the retry
                interval while attempts remain; an invalid number never does.""",
        ),
        9: (
            "expiry and calling window",
            """
                An expired call is never dispatched, nor any call outside its calling window. The
                final status of a call is what ended it: expired or canceled also after attempts,
                failed only where the attempts are used up or the outcome allows no other.""",
        ),
        10: (
            "status updates",
            """
                Every change (queued, dialing, connected, waiting for a retry or final) waits in a
                first-in-first-out backlog for a worker, and is visible when that is done;
                scheduled is visible at once. A small share of updates is lost; a small share of
                calls is wedged: accepted, shown as pending, never dialed. A reconciliation job
                may repair lost final updates.""",
        ),
        11: (
            "result_url",
            """
                One final POST a call, once its final update is visible: with latency, time-out,
                failures, repetitions with back-off, and limits on posts at once, for each
                endpoint and for all.""",
        ),
        12: (
            "stop",
            """
                A stop lasts. It takes effect some latency after the request. From then on nothing
                of the campaign is loaded, and no call of it waits for a retry; what is in the
                queue or dispatched goes out. What-ifs: it reaches the queue too; it leaves
                retries alone.""",
        ),
        13: (
            "suspensions and outages",
            """
                Calls of a tenant, or of all, are held back for a while; ports, workers, the
                carrier, status processing or an endpoint are out of service for a while. An
                outage of ports or channels takes free ones at once and busy ones as they end, or
                drops their calls.""",
        ),
        14: (
            "background tenants",
            """
                Other customers' campaigns, with their number, sizes, pace and start minutes, are
                drawn anew in each replication, for as long as the campaign under study needs.""",
        ),
        15: (
            "time of day",
            """
                Load goes by local hour and weekday: classes of background tenants bring lists in
                batches at marked minutes, paced lists at any time, or single calls, each a Poisson
                number an hour by its rate there, with sizes, pace and retries of their own.
                Campaigns with their stops and pauses, suspensions, and lists of a class may come
                again on weekdays, at the same local time. A list's size may be drawn; load scales
                counts, rates of requests and the background.""",
        ),
        16: (
            "life of a call",
            """
                A call may bring a schedule and an expiry of its own, by its row or its request,
                or expire some time after its submission. It is loaded no earlier than its
                schedule, in the order of schedules; at its expiry, or its campaign's if that is
                earlier, it expires wherever it waits, and one under way is not dialed again. How
                long the customer wants it changes nothing of what is dialed, and is counted.""",
        ),
        17: (
            "retry by outcome",
            """
                A campaign may say more of a busy line, no answer and congestion each: the k-th
                retry of a call after that outcome waits the outcome's interval times its back-off
                to the power of k - 1, at most its cap, and what chance adds as jitter, drawn for
                each call and attempt. An outcome may be retried less often than max_retry, which
                bounds all retries together.""",
        ),
        18: (
            "intake",
            """
                A list, or a single call, is one request. It is judged as it comes, before
                anything else at its instant: by a token bucket of its tenant and one of the
                platform, and by bounds on the calls that wait (for their start, in the queue or
                for a retry), those that it brings included. It is taken whole, for one token of
                each bucket, or refused at once, with its reason, for none; its calls are then
                never in the queue. Its client gives up, or asks again after a wait that grows
                by a factor up to a cap, with jitter, a number of times; a client whose campaign
                is stopped or expired asks no more. Waits count from the first request.""",
        ),
        19: (
            "pause, and stop by calls",
            """
                One campaign can be paused and resumed. Its queued calls keep their places, as
                under a suspension; it is loaded and admitted at its pace meanwhile, and a retry
                whose interval ends enters the queue and waits there. A stop by calls leaves the
                campaign alone: from its effect on it cancels one call after the other, at a rate,
                the first at once, each time the newest or the oldest of those that have come in,
                are scheduled, queued or waiting for a retry, and not dialed yet in this attempt.
                Where there is none it waits until one comes in or comes to wait for a retry. It
                can spare calls that were dialed before.""",
        ),
        20: (
            "who goes next",
            """
                Instead of first in, first out the queue may go by priority (the lowest number
                first), by expiry (the earliest first, what never expires last), or by guaranteed
                shares of the ports in service: a tenant that holds less than its share goes
                first, and of several the one that holds the smallest part of its own. Idle shares
                are lent out and come back as calls end: nobody is cut off. Among equals the
                oldest goes first, and what is held back blocks nobody.""",
        ),
    }.items()
)
