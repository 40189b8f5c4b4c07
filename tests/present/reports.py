"""Small runs and studies, and the reports that are made of them."""

from __future__ import annotations

from pathlib import Path

from bs4 import BeautifulSoup, Tag

from outsim.present.report import Report
from outsim.present.sources import read_context
from outsim.questions.compare import compare
from outsim.questions.eta import eta
from outsim.questions.schedule import schedule
from outsim.questions.stop import stop
from outsim.scenario import Scenario
from outsim.scenario.loading import load
from outsim.studies.synchronous import run_sync
from tests.studies.kept import Here

QUESTIONS = {
    "schedule": "When should I schedule my calls?",
    "eta": "When is my call going out?",
    "status": "What's the status of my campaign?",
    "failed": 'Why am I seeing "failed" calls?',
    "stop": "Why do calls still go out after I stopped?",
}
"""The five questions by the id of their section, in their order."""

REPLICATIONS = 3


def scenario(name: str = "small", start: str = "09:05", contacts: int = 60) -> Scenario:
    """A campaign beside another tenant's on few ports."""
    campaigns = [
        {"name": "reminders", "tenant": "clinic", "start": start, "contacts": contacts}
        | {"max_retry": 1, "retry_interval": "5 min"},
        {"name": "notices", "tenant": "utility", "start": "09:00", "contacts": 20},
    ]
    return load(
        {
            "name": name,
            "clock": {
                "zone": "America/New_York",
                "date": "2026-03-10",
                "begins": "09:00",
                "ends": "10:00",
            },
            "platform": {"ports": 10, "ring_timeout": "30 s"},
            "campaign": campaigns,
            "study": {"campaign": "clinic/reminders"},
        }
    )


OPTIONS = {"engine": "simpy", "progress": None}


def kept(kind: str, directory: Path, replications: int = REPLICATIONS) -> Path:
    """Directory of a study of this kind."""
    options = OPTIONS | {"executor": Here(), "replications": replications, "directory": directory}
    if kind == "compare":
        pair = scenario("few calls"), scenario("many calls", contacts=90)
        run_sync(compare(*pair, **options))
    elif kind == "starts":
        pair = scenario("at five"), scenario("at ten", start="09:10")
        run_sync(compare(*pair, **options))
    elif kind == "schedule":
        between = ("09:05", "09:15")
        schedule(scenario(), every="5min", between=between, **options).run()
    elif kind == "stop":
        stop(scenario(), after=["0s", "5s", "1 min"], **options).run()
    else:
        eta(scenario(), **options).run()
    return directory


def report_of(path: Path, **options) -> str:
    """Report of a run, a study or a scenario, as HTML."""
    options = {"engine": "simpy"} | options
    return Report(read_context(path, **options), "outsim report it").html()


def parsed(text: str) -> BeautifulSoup:
    return BeautifulSoup(text, "html.parser")


def section(page: BeautifulSoup, name: str) -> Tag:
    """Section of a question."""
    found = page.find("section", id=name)
    assert isinstance(found, Tag)
    return found


def words(tag: Tag) -> str:
    """Text as a reader reads it."""
    return " ".join(tag.get_text(" ").split())
