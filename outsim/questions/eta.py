"""When is my call going out? A forecast of when a campaign's calls, or one call, go out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from outsim.clock import SECOND, after, format_duration
from outsim.display import format_estimate, format_figure, percent
from outsim.document import Answer, Document, Picture, Table
from outsim.errors import StudyError
from outsim.estimates import LEVEL, Estimate, Probability, probability
from outsim.questions.eta_measures import (
    BAND,
    CAMPAIGN_MEASURES,
    FORECAST_MEASURES,
    NEVER_OUT,
    CallOfInterest,
    Quantiles,
    estimates,
    find_call,
    of_findings,
    said,
)
from outsim.questions.means import NOTE, Means
from outsim.questions.one_run import ten_digits
from outsim.questions.question import StudyOptions, StudyQuestion, asks
from outsim.results.checkpoint import simulate
from outsim.results.measures import MEASURES, Measure
from outsim.results.result import Result
from outsim.scenario.campaigns import Campaign
from outsim.scenario.loading import with_snapshot
from outsim.scenario.model import Scenario
from outsim.scenario.snapshot import STATES, Snapshot
from outsim.studies.comparable import campaign_of
from outsim.studies.default_replications import ETA
from outsim.studies.foot import precision_notes
from outsim.studies.study import run_of
from outsim.studies.study_result import StudyResult
from outsim.text import plain
from outsim.vocabulary import ENDED_STATUSES, UNDER_WAY_STATUSES

if TYPE_CHECKING:
    import pandas as pd

TITLE = "When is my call going out?"


MEDIAN_RUNS = math.ceil(1 - math.log2(1 - LEVEL))
"""Fewest runs that have an interval of the median: all lie on one side of it twice in 2^runs."""

COLUMNS = ("", "median", "95 % interval of it", "90 % of runs")
"""Headers of `row`."""


def row(findings: StudyResult, measure: Measure) -> list[str]:
    """An instant over replications: its median with its interval, and the 90 % band."""
    found = of_findings(findings, measure)
    snapshot = findings.scenarios[0].snapshot
    if snapshot is not None and measure.name != "call_out_s":
        moment_s = findings.scenarios[0].instant_us(snapshot.at) / 1e6
        if found.high < moment_s:
            return [measure.label, "already", "", ""]
    never = "never" if measure.name == "call_out_s" else "not in the run"
    return [
        measure.label,
        _clock(findings, found.median, never),
        _span(findings, found.median_low, found.median_high, never),
        _span(findings, found.low, found.high, never),
    ]


def canceled_text(findings: StudyResult, campaign: Campaign) -> str:
    """How many of a campaign's calls are canceled before they go out; empty if none is."""
    share = findings.mean(0, "canceled_before_out")
    if not share.count or share.is_zero:
        return ""
    stop = campaign.stop_at
    when = "" if stop is None else f" (it is stopped at {stop:%H:%M:%S})"
    if share.rare is not None and share.rare.least == share.rare.most == 1:
        return f"In every run all of its calls are canceled before they go out{when}."
    canceled = format_estimate("share", share, findings.scenarios[0].clock.begins)
    return (
        f"{canceled} of its calls are canceled before they go out{when}; the times at which "
        "calls go out are of the others."
    )


def never_out(findings: StudyResult) -> dict[str, Probability]:
    """By reason of `NEVER_OUT`, how probably the call that was asked about does not go out.

    Reasons that never came are left out.
    """
    found = {
        why: probability(findings.values(0, f"call_{why}") > 0)
        for why in NEVER_OUT
        if any(each.name == f"call_{why}" for each in findings.measures)
    }
    return {why: each for why, each in found.items() if each.mean > 0}


def never_out_texts(findings: StudyResult, campaign: Campaign) -> list[str]:
    """Why the call that was asked about may not go out, and how probably; one text a reason."""
    scenario = findings.scenarios[0]
    at = {
        "canceled": campaign.stop_at,
        "expired": campaign.expires_at,
        "pending": scenario.clock.latest_end,
    }
    because = {
        "canceled": "the campaign is stopped at",
        "expired": "the campaign expires at",
        "pending": "the run ends at the latest at",
    }
    texts = []
    for why, each in never_out(findings).items():
        moment = at.get(why)
        when = "" if moment is None else f" ({because[why]} {moment:%H:%M:%S})"
        texts.append(
            f"In {percent(each.mean)} of runs (95 %: {percent(each.low)} to "
            f"{percent(each.high)}) it is {NEVER_OUT[why]}{when}."
        )
    return texts


def _clock(findings: StudyResult, seconds: float, never: str) -> str:
    if not math.isfinite(seconds):
        return never
    return format_figure("clock", seconds, findings.scenarios[0].clock.begins)


def _span(findings: StudyResult, low: float, high: float, never: str) -> str:
    if low == -math.inf and high == math.inf:
        return f"takes {MEDIAN_RUNS} runs"
    first, last = (_clock(findings, each, never) for each in (low, high))
    return never if first == last == never else f"{first} to {last}"


@dataclass(frozen=True, eq=False, repr=False)
class Forecast(Answer):
    """When a campaign's calls go out, over replications."""

    campaign: Campaign
    findings: StudyResult
    call: CallOfInterest | None = None
    """The one call that is asked about; None for the whole campaign."""

    def quantiles(self, name: str) -> Quantiles:
        """Median and band of one of `eta_measures.CAMPAIGN_MEASURES`, by its name."""
        return of_findings(self.findings, self.findings.measure(name))

    @property
    def canceled(self) -> Estimate:
        """Share of the calls that are canceled before they go out: the times are of the others."""
        return self.findings.mean(0, "canceled_before_out")

    def table(self) -> pd.DataFrame:
        """One row a measure: median, its 95 % interval, and the 90 % band, as local clock times.

        Missing where the runs don't come to it; ``never`` is the share of those.
        """
        import pandas as pd

        begins = self.findings.scenarios[0].clock.begins
        rows = {}
        for measure in CAMPAIGN_MEASURES:
            found = vars(of_findings(self.findings, measure)).copy()
            never = found.pop("never")
            rows[measure.label] = {
                name: after(begins, round(seconds * SECOND)) if abs(seconds) < 1e12 else pd.NaT
                for name, seconds in found.items()
            } | {"never": never}
        return pd.DataFrame.from_dict(rows, orient="index")

    @property
    def _is_out(self) -> bool:
        """Whether the call that is asked about is out now."""
        return self.call is not None and self.call.state in UNDER_WAY_STATUSES

    @property
    def _instants(self) -> list[Measure]:
        return [measure for measure in self.findings.measures if measure.kind == "clock"]

    def document(self) -> Document:
        """The answer in words, with its table and picture."""
        findings, campaign = self.findings, self.campaign
        scenario = findings.scenarios[0]
        rows = [] if self._is_out else [row(findings, measure) for measure in self._instants]
        asked = f"{campaign.name} ({campaign.tenant}), scenario {scenario.name}"
        if scenario.snapshot is not None:
            asked += f", from the queue at {scenario.snapshot.at:%Y-%m-%d %H:%M:%S}"
        asked += f": {findings.replications} replications, seed {findings.seed}."
        notes = []
        if rows:
            notes.append("Median and 90 % band over replications.")
            if findings.switches.draws_callees:
                notes.append("Each has callees of its own, out of what the call log leaves open.")
            if findings.replications < ETA:
                notes.append(
                    f"{findings.replications} replications are too few for such a band: it takes "
                    f"{ETA}."
                )
        notes += [f"Estimated: {text}." for text in estimates(scenario)]
        return Document(
            id="eta",
            title=TITLE,
            asked=asked,
            answer=self._answer(),
            more=[*self._where(), *self._of_the_call()],
            tables=[Table("When calls go out", COLUMNS, rows)] if rows else [],
            pictures=[] if self.call is not None else [self._picture()],
            notes=[*notes, *precision_notes(findings)],
        )

    def _when(self, measure: Measure, word: str = "by") -> str:
        """The median of an instant with its band, for people."""
        _, median, _, band = row(self.findings, measure)
        when = f"{word} {median}" if median[:1].isdigit() else median
        return when if band in ("", median) else f"{when} (90 % of runs: {band})"

    def _answer(self) -> str:
        findings = self.findings
        if self.call is not None:
            if self._is_out:
                return f"The call is {self.call.state}: it is out now."
            measure = self.call.measure
            return f"The call {measure.label} {self._when(measure, 'at')}."
        canceled = canceled_text(findings, self.campaign)
        finished = f"the campaign is finished {self._when(findings.measure('finish_time_s'))}."
        if not findings.mean(0, "first_out_s").count:
            text = f"{canceled} In none of these runs does a call go out; {finished}"
        else:
            calls = "the others" if canceled else "the calls"
            half = self._when(findings.measure("median_out_s"))
            text = f"{canceled} Half of {calls} are out {half}; {finished}"
        return text.strip()

    def _where(self) -> list[str]:
        """Where the campaign's calls stand in the snapshot."""
        snapshot = self.findings.scenarios[0].snapshot
        found = snapshot and snapshot.find((self.campaign.tenant, self.campaign.name))
        if not found:
            return []
        counts = [(said(state), found.count(state)) for state in STATES]
        counts += [(status, getattr(found, status)) for status in ENDED_STATUSES]
        words = "; ".join(f"{count:,} {word}" for word, count in counts if count)
        return [f"Its calls at that moment: {words}."] if words else []

    def _of_the_call(self) -> list[str]:
        if self.call is None or self._is_out:
            return []
        standing = {
            "queued": "in the queue",
            "waiting_retry": "waiting for its retry: it joins the queue at its tail",
            "scheduled": "not in the queue yet: others may come in before it",
        }
        texts = never_out_texts(self.findings, self.campaign)
        if self.call.ahead is not None:
            stands = f"The call is {standing[self.call.state]}."
            texts.insert(0, f"{stands} Calls ahead of it now: {self.call.ahead:,}.")
        return texts

    def _picture(self) -> Picture:
        instants = "; ".join(f"{each.label} {self._when(each)}" for each in self._instants)
        return Picture(
            "eta",
            self,
            alt=f"Marks on a clock, each with the band that 90 % of runs fall into. {instants}.",
            caption="When calls go out: median and 90 % of runs",
            rows=len(self._instants),
        )

    def to_dict(self) -> dict[str, Any]:
        """The answer for machines."""
        findings, campaign = self.findings, self.campaign
        scenario = findings.scenarios[0]
        instants = {}
        for measure in self._instants:
            found = of_findings(findings, measure)
            instants[measure.name] = {
                name: self._instant(getattr(found, name))
                for name in ("median", "low", "high", "median_low", "median_high")
            } | {"never": found.never}
        document: dict[str, Any] = {
            "campaign": campaign.name,
            "tenant": campaign.tenant,
            "at": scenario.snapshot.at.isoformat() if scenario.snapshot else None,
            "replications": findings.replications,
            "seed": findings.seed,
            "band": BAND,
            "figures": instants,
            "estimated": estimates(scenario),
        }
        if self.call is None:
            document["canceled_before_out"] = self.canceled.to_dict()
        else:
            document["call"] = {
                "state": self.call.state,
                "ahead": self.call.ahead,
                "never_goes_out": {
                    why: {"probability": each.mean, "low": each.low, "high": each.high}
                    for why, each in never_out(findings).items()
                },
            }
        return {**plain(document)}

    def _instant(self, seconds: float) -> str | None:
        begins = self.findings.scenarios[0].clock.begins
        if not math.isfinite(seconds):
            return None
        return after(begins, round(seconds * SECOND)).isoformat()


def mean_document(means: Means) -> Document | None:
    """What means of a study say of when calls go out; None where they say nothing."""
    rows = means.rows(
        *("wait_p50_s", "wait_p90_s", "finish_time_s", "duration_s", "completed_by_deadline")
    )
    if not rows:
        return None
    half, most, end = map(means.get, ("wait_p50_s", "wait_p90_s", "finish_time_s"))
    texts = []
    if half is not None and most is not None:
        texts.append(f"the p50 wait is {half.text}, the p90 wait {most.text}")
    if end is not None:
        texts.append(f"the campaign is finished at {end.text}")
    answer = "; ".join(texts)
    return Document(
        id="eta",
        title=TITLE,
        asked=means.asked,
        answer=answer and f"{answer[0].upper()}{answer[1:]}.",
        tables=[Table("When calls go out", ["measure", "mean"], rows)],
        notes=[NOTE],
    )


def waits_picture(result: Result, campaign: Campaign) -> Picture:
    """Waits of a campaign's calls in one run."""
    values, view = {each.name: each for each in MEASURES}, result.measure_view(campaign)
    texts = []
    for share in ("p50", "p90"):
        seconds = values[f"wait_{share}_s"].compute(view)
        wait = f"wait up to {format_duration(round(seconds * SECOND))}"
        if not math.isfinite(seconds):
            wait = "are not dialed within the run"
        texts.append(f"{share} wait: calls {wait}")
    return Picture(
        "waits",
        result,
        alt=f"A line that rises with the wait, from no call to all: {', '.join(texts)}.",
        caption="Share of the calls that wait no longer, one run",
        options={"campaigns": [campaign]},
    )


@asks(StudyOptions, usual=ETA)
def eta(
    scenario: Scenario,
    campaign: str | Campaign | None = None,
    *,
    call: int | None = None,
    number: str | None = None,
    snapshot: str | Path | Mapping[str, Any] | Snapshot | None = None,
    at: datetime | str | None = None,
    **options: Unpack[StudyOptions],
) -> StudyQuestion[Forecast]:
    """Forecast when a campaign's calls go out and when it is finished, or when one call goes out.

    Parameters
    ----------
    campaign : str or Campaign, optional
        ``name``, ``tenant/name`` or the campaign; default: the one under study, or that of the
        call.
    call : int, optional
        One call, by its id.
    number : str, optional
        One call, by its national number of ten digits.
    snapshot : path, mapping or Snapshot, optional
        The live queue to forecast from (JSON; `outsim schema --snapshot` says what is in it), or
        what `Result.snapshot` gives; default: from the scenario's begin.
    at : datetime or str, optional
        Forecast from the queue as one run of the scenario has it at this moment.
    input_uncertainty : bool
        Whether the bands are over days and over callees that a calibration's data would bear out.

    Raises
    ------
    StudyError
        If there is no such campaign or call.
    ScenarioError
        If the snapshot can't be used.

    Examples
    --------
    >>> forecast = await outsim.eta(scenario, snapshot="queue.json")  # doctest: +SKIP
    >>> forecast.table()  # doctest: +SKIP
    """
    for one, first, other, second in (
        ("call", call, "number", number),
        ("snapshot", snapshot, "at", at),
    ):
        if first is not None and second is not None:
            raise StudyError(f"{one} and {other}: give one or the other")
    digits = ten_digits(number)
    chosen = campaign_of(scenario, campaign)
    if snapshot is not None:
        scenario = with_snapshot(scenario, snapshot)
    elif at is not None:
        seed = options.get("seed")
        seed = scenario.seed if seed is None else seed
        scenario = with_snapshot(scenario, simulate(scenario, seed=seed).snapshot(at))
        # What is to come is drawn anew: a forecast knows nothing of the run's own future.
        options["seed"] = (seed + 1) % 2**63
    measures: tuple[Measure, ...] = FORECAST_MEASURES
    found = None
    if call is not None or digits is not None:
        found = find_call(scenario, call_id=call, number=digits)
        known = scenario.campaign_or_none("/".join(found.campaign))
        if known is None or (campaign is not None and known is not chosen):
            raise StudyError(f"the call is one of {'/'.join(found.campaign)}; ask there")
        chosen, measures = known, found.measures
    if options.get("input_uncertainty"):
        options["input_uncertainty"] = "drawn"  # bands are of runs: partners would add nothing
    run = run_of(scenario.asked_about(chosen), measures=measures, **options)
    return StudyQuestion("eta", run, lambda findings: Forecast(chosen, findings, found))
