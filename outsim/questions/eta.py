"""When is my call going out? A forecast of when a campaign's calls, or one call, go out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray

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
    forecast_of,
    quantiles,
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
from outsim.studies.promises import Promise, Verdict, read_promise
from outsim.studies.study import run_of
from outsim.studies.study_result import StudyResult
from outsim.text import plain
from outsim.vocabulary import ENDED_STATUSES, UNDER_WAY_STATUSES

if TYPE_CHECKING:
    import pandas as pd

TITLE = "When is my call going out?"

MEDIAN_RUNS = math.ceil(1 - math.log2(1 - LEVEL))
"""Fewest runs that have an interval of the median: all lie on one side of it twice in 2^runs."""

BAND_RUNS = round(2 / (1 - BAND)) - 1
"""Fewest runs that have a 90 % band: of so many, it reaches from the first to the last."""

STANDING = {
    "queued": "in the queue",
    "waiting_retry": "waiting for its retry: it joins the queue at its tail",
    "scheduled": "not in the queue yet: others may come in before it",
}


@dataclass(frozen=True, eq=False, repr=False)
class Forecast(Answer):
    """When a campaign's calls go out, over replications."""

    campaign: Campaign
    findings: StudyResult
    call: CallOfInterest | None = None
    """The one call that is asked about; None for the whole campaign."""
    promises: tuple[Promise, ...] = ()
    """Promises of which it is said how probably a run keeps them."""

    @property
    def is_no(self) -> bool:  # type: ignore[override]
        """Whether a promise is shown to be broken."""
        return "broken" in map(self.verdict, self.promises)

    def keeps(self, promise: Promise) -> Probability:
        """How probably a day keeps a promise, from the queue as it stands."""
        return probability(self._outcomes(replace(promise, probability=0.5)) > 0)

    def verdict(self, promise: Promise) -> Verdict:
        """Whether a promise is shown to be kept, broken, or neither, with 95 % confidence."""
        return promise.judge(self._outcomes(promise), 1 - LEVEL, 1 - LEVEL)[0]

    def _outcomes(self, promise: Promise) -> NDArray[np.float64]:
        return promise.outcomes(self.findings.values(0, promise.measure.name))

    @property
    def _promised(self) -> list[str]:
        """What is said of each promise."""
        texts = []
        for promise in self.promises:
            share, verdict = self.keeps(promise), self.verdict(promise)
            how = f"{percent(share.mean)} of runs keep it (95 %: {percent(share.low)} to "
            texts.append(f"{promise.text}: {verdict}; {how}{percent(share.high)}).")
        return texts

    @property
    def scenario(self) -> Scenario:
        """The scenario, with the snapshot that is forecast from."""
        return self.findings.scenarios[0]

    def quantiles(self, name: str) -> Quantiles:
        """Median and band of one of `eta_measures.CAMPAIGN_MEASURES`, by its name."""
        return quantiles(self.findings.data.values(0, self.findings.measure(name).name).tolist())

    @property
    def band(self) -> str:
        """What the band holds: 90 % of runs, or all of them where they are too few for that."""
        is_wide = self.findings.replications < BAND_RUNS
        return "all runs" if is_wide else f"{percent(BAND)} of runs"

    @property
    def canceled(self) -> Estimate:
        """Share of the calls that are canceled before they go out: the times are of the others."""
        return self.findings.mean(0, "canceled_before_out")

    @property
    def never_out(self) -> dict[str, Probability]:
        """How probably the call that is asked about does not go out, by reason of `NEVER_OUT`."""
        if self.call is None:
            return {}
        values = {why: self.findings.values(0, f"call_{why}") > 0 for why in NEVER_OUT}
        return {why: probability(stays) for why, stays in values.items() if stays.any()}

    def table(self) -> pd.DataFrame:
        """One row a measure: median, its 95 % interval, and the 90 % band, as local clock times.

        Missing where the runs don't come to it; ``never`` is the share of those.
        """
        import pandas as pd

        rows = {}
        for measure in CAMPAIGN_MEASURES:
            seconds = vars(self.quantiles(measure.name)).copy()
            never = seconds.pop("never")
            instants = {name: self._instant(at_s) or pd.NaT for name, at_s in seconds.items()}
            rows[measure.label] = instants | {"never": never}
        return pd.DataFrame.from_dict(rows, orient="index")

    def _instant(self, seconds: float) -> datetime | None:
        if not math.isfinite(seconds):
            return None
        return after(self.scenario.clock.begins, round(seconds * SECOND))

    @property
    def _is_out(self) -> bool:
        """Whether the call that is asked about is out now."""
        return self.call is not None and self.call.state in UNDER_WAY_STATUSES

    @property
    def _instants(self) -> list[Measure]:
        about = CAMPAIGN_MEASURES if self.call is None else (self.call.measure,)
        return [measure for measure in about if measure.kind == "clock"]

    def row(self, measure: Measure) -> list[str]:
        """The instant of a measure for people: its label, median, interval of that, and band."""
        of_runs, snapshot = self.quantiles(measure.name), self.scenario.snapshot
        is_call = measure.name == "call_out_s"
        moment_us = 0 if snapshot is None else self.scenario.instant_us(snapshot.at)
        if snapshot is not None and not is_call and of_runs.high < moment_us / SECOND:
            return [measure.label, "already", "", ""]
        never = "never" if is_call else "not in the run"

        def clock(seconds: float) -> str:
            if not math.isfinite(seconds):
                return never
            return format_figure("clock", seconds, self.scenario.clock.begins)

        def span(low: float, high: float) -> str:
            if low == -math.inf and high == math.inf:
                return f"takes {MEDIAN_RUNS} runs"
            first, last = clock(low), clock(high)
            return never if first == last == never else f"{first} to {last}"

        return [
            measure.label,
            clock(of_runs.median),
            span(of_runs.median_low, of_runs.median_high),
            span(of_runs.low, of_runs.high),
        ]

    def _when(self, measure: Measure, word: str = "by") -> str:
        """The median of an instant with its band, for people."""
        _, median, _, band = self.row(measure)
        when = f"{word} {median}" if median[:1].isdigit() else median
        return when if band in ("", median) else f"{when} ({self.band}: {band})"

    def document(self) -> Document:
        """The answer in words, with its table and picture."""
        findings, scenario = self.findings, self.scenario
        asked = f"{self.campaign.name} ({self.campaign.tenant}), scenario {scenario.name}"
        if scenario.snapshot is not None:
            asked += f", from the queue at {scenario.snapshot.at:%Y-%m-%d %H:%M:%S}"
        tables, notes = [], []
        if not self._is_out:
            heads = ("", "median", "95 % interval of it", self.band)
            tables = [Table("When calls go out", heads, [*map(self.row, self._instants)])]
            notes = [f"Median and {percent(BAND)} band over replications."]
            if findings.switches.draws_callees:
                notes.append("Each has callees of its own, out of what the call log leaves open.")
            if findings.replications < BAND_RUNS:
                notes[0] = (
                    f"Median over replications, first and last of them: a {percent(BAND)} band "
                    f"takes {BAND_RUNS}."
                )
        return Document(
            id="eta",
            title=TITLE,
            asked=f"{asked}: {findings.replications} replications, seed {findings.seed}.",
            answer=" ".join([*self._promised, self._answer()]),
            more=[*self._standing(), *self._of_the_call()],
            tables=tables,
            pictures=[] if self.call is not None else [self._picture()],
            notes=[
                *notes,
                *(f"Estimated: {text}." for text in estimates(scenario)),
                *precision_notes(findings),
            ],
        )

    def _answer(self) -> str:
        if self._is_out and self.call is not None:
            return f"The call is {self.call.state}: it is out now."
        if self.call is not None:
            return f"The call {self.call.measure.label} {self._when(self.call.measure, 'at')}."
        measure = self.findings.measure
        finished = f"the campaign is finished {self._when(measure('finish_time_s'))}."
        canceled = self.canceled_text
        if not self.findings.mean(0, "first_out_s").count:
            return f"{canceled} In none of these runs does a call go out; {finished}".strip()
        calls = "the others" if canceled else "the calls"
        half = self._when(measure("median_out_s"))
        return f"{canceled} Half of {calls} are out {half}; {finished}".strip()

    @property
    def canceled_text(self) -> str:
        """How many of the calls are canceled before they go out; empty if none is."""
        share, stop = self.canceled, self.campaign.stop_at
        if not share.count or share.is_zero:
            return ""
        when = "" if stop is None else f" (it is stopped at {stop:%H:%M:%S})"
        if share.rare is not None and share.rare.least == share.rare.most == 1:
            return f"In every run all of its calls are canceled before they go out{when}."
        return (
            f"{format_estimate('share', share)} of its calls are canceled before they go "
            f"out{when}; the times at which calls go out are of the others."
        )

    def _standing(self) -> list[str]:
        """Where the campaign's calls stand in the snapshot."""
        snapshot = self.scenario.snapshot
        campaign = snapshot and snapshot.find((self.campaign.tenant, self.campaign.name))
        if not campaign:
            return []
        counts = [(said(state), campaign.count(state)) for state in STATES]
        counts += [(status, getattr(campaign, status)) for status in ENDED_STATUSES]
        words = "; ".join(f"{count:,} {word}" for word, count in counts if count)
        return [f"Its calls at that moment: {words}."] if words else []

    def _of_the_call(self) -> Iterator[str]:
        """What is ahead of the call that is asked about, and why it may not go out."""
        if self.call is None or self._is_out:
            return
        if self.call.ahead is not None:
            yield (
                f"The call is {STANDING[self.call.state]}. Calls ahead of it now: "
                f"{self.call.ahead:,}."
            )
        ends = {
            "canceled": ("the campaign is stopped at", self.campaign.stop_at),
            "expired": ("the campaign expires at", self.campaign.expires_at),
            "pending": ("the run ends at the latest at", self.scenario.clock.latest_end),
        }
        for why, share in self.never_out.items():
            because, moment = ends.get(why, ("", None))
            when = "" if moment is None else f" ({because} {moment:%H:%M:%S})"
            yield (
                f"In {percent(share.mean)} of runs (95 %: {percent(share.low)} to "
                f"{percent(share.high)}) it is {NEVER_OUT[why]}{when}."
            )

    def _picture(self) -> Picture:
        whens = (f"{measure.label} {self._when(measure)}" for measure in self._instants)
        return Picture(
            "eta",
            self,
            alt=f"Marks on a clock, each with the band that {self.band} fall into. "
            f"{'; '.join(whens)}.",
            caption=f"When calls go out: median and {self.band}",
            rows=len(self._instants),
        )

    def to_dict(self) -> dict[str, Any]:
        """The answer for machines."""
        snapshot = self.scenario.snapshot
        instants = {}
        for measure in self._instants:
            seconds = vars(self.quantiles(measure.name)).copy()
            never = seconds.pop("never")
            instants[measure.name] = {
                name: (at := self._instant(at_s)) and at.isoformat()
                for name, at_s in seconds.items()
            } | {"never": never}
        document: dict[str, Any] = {
            "campaign": self.campaign.name,
            "tenant": self.campaign.tenant,
            "at": snapshot.at.isoformat() if snapshot else None,
            "replications": self.findings.replications,
            "seed": self.findings.seed,
            "band": BAND,
            "figures": instants,
            "promises": [
                {
                    "promise": promise.text,
                    "verdict": self.verdict(promise),
                    "kept_in": vars(self.keeps(promise)),
                }
                for promise in self.promises
            ],
            "estimated": estimates(self.scenario),
        }
        if self.call is None:
            document["canceled_before_out"] = self.canceled.to_dict()
        else:
            document["call"] = {
                "state": self.call.state,
                "ahead": self.call.ahead,
                "never_goes_out": {
                    why: {"probability": share.mean, "low": share.low, "high": share.high}
                    for why, share in self.never_out.items()
                },
            }
        return {**plain(document)}


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
    values, view = {measure.name: measure for measure in MEASURES}, result.measure_view(campaign)
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
    promise: Sequence[str] = (),
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
    promise : sequence of str
        Promises, such as ``"95% of calls out by 11:00"``, of which it is said how probably they
        are kept; see `outsim.studies.promises`.
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
        if promise:
            raise StudyError("promise: it is about a campaign; leave out the call, or the promise")
        chosen, measures = known, found.measures
    if options.get("input_uncertainty"):
        options["input_uncertainty"] = "drawn"  # bands are of runs: partners would add nothing
    asked = scenario.asked_about(chosen)
    promises = tuple(forecast_of(read_promise(text, asked), asked) for text in promise)
    measures = tuple(dict.fromkeys((*measures, *(p.measure for p in promises))))
    run = run_of(asked, measures=measures, **options)
    return StudyQuestion("eta", run, lambda findings: Forecast(chosen, findings, found, promises))
