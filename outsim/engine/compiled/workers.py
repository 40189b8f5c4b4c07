"""Workers (rule 5): a small pool with two priorities, not preemptive.

Dial work goes before status updates. Both wait in the order in which they came:
dial work in the order of dispatch, updates in the order of the records.
"""

from __future__ import annotations

from outsim.engine.compiled import events
from outsim.engine.compiled.connection import dial
from outsim.engine.compiled.events import WORKER_FINISHES
from outsim.engine.compiled.layout import WORK, attempt_at, block_at, campaign_at
from outsim.engine.compiled.memory import Row, instant_at, kernel, number_at
from outsim.engine.compiled.updates import begin_update, end_update

JOBS = 2
DIAL_JOB, STATUS_JOB = range(JOBS)


@kernel
def close_instant(p: Row) -> None:
    """Have idle workers begin what waits; called once nothing is left at this instant."""
    able = p.worker_count - p.workers_out
    while p.workers_busy < able:
        if p.begun_dials < p.dispatches:
            port = number_at(p.dial_work, p.begun_dials % p.port_count)
            p.begun_dials += 1
            length_us, key = _begin_dial(p, port)
            _work(p, length_us, key, DIAL_JOB + JOBS * port)
        elif p.begun_updates < p.updates and p.status_outages == 0:
            row = p.begun_updates
            p.begun_updates += 1
            length_us, key = begin_update(p, row)
            _work(p, length_us, key, STATUS_JOB + JOBS * row)
        else:
            return


@kernel
def _begin_dial(p: Row, port: int) -> tuple[int, int]:
    attempt = attempt_at(p.ports, port)
    attempt.work_started_at = p.now
    length_us = p.dial_work_us
    if length_us < 0:
        campaign = campaign_at(p.campaigns, attempt.campaign)
        work = block_at(p.blocks, campaign.blocks + attempt.number).dial_work_us
        length_us = instant_at(work, attempt.call - campaign.first_call)
    return length_us, attempt.key


@kernel
def _work(p: Row, length_us: int, key: int, job: int) -> None:
    p.workers_busy += 1
    events.schedule(p, WORK, p.now + length_us, WORKER_FINISHES | key, job)


@kernel
def finish(p: Row) -> bool:
    """The first of the workers to finish has done so; return whether anything comes of it."""
    job = events.first_of(p, WORK).item
    events.drop_first(p, WORK)
    p.workers_busy -= 1
    if job % JOBS == DIAL_JOB:
        dial(p, job // JOBS)
        return True
    posts = p.deliveries
    end_update(p, job // JOBS)
    return p.deliveries > posts
