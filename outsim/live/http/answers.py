"""Answers as the platform words them: XML or JSON, and every refusal in one place."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from outsim.live.http.seen import SECRETS
from outsim.text import shortened

XML = "application/xml"
SHOWN_PROBLEMS = 5
SHOWN_VALUE = 60
_PLAIN = re.compile(r"[0-9A-Za-z+;:=]*").fullmatch
"""Texts that are written as they stand: most numbers, of which there may be very many."""
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class RefusedError(Exception):
    """A request that is not taken.

    Parameters
    ----------
    status : int
        HTTP status of the answer.
    reason : str
        What is wrong, for whoever sent it.
    nearest : str
        The accepted form that comes nearest to what was sent, if one is known.
    headers : mapping
        Headers of the answer.
    """

    def __init__(
        self,
        status: int,
        reason: str,
        nearest: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(reason)
        self.status, self.reason, self.nearest = status, reason, nearest
        self.headers = dict(headers or {})


def problems_in_words(problems: Sequence[Mapping[str, Any]]) -> str:
    """What pydantic found wrong with the fields of a request."""
    found = [_problem(problem) for problem in problems]
    more = len(found) - SHOWN_PROBLEMS
    return "; ".join(found[:SHOWN_PROBLEMS]) + (f" and {more} more" if more > 0 else "")


def _problem(problem: Mapping[str, Any]) -> str:
    """What is wrong with one field, and what was found unless it is a secret."""
    place = [str(part) for part in problem.get("loc", ()) if part not in ("body", "query", "path")]
    said = str(problem.get("msg", "")).removeprefix("Value error, ")
    said = f"{said[:1].lower()}{said[1:]}"
    found = problem.get("input")
    name = shortened(".".join(place), SHOWN_VALUE)
    is_shown = isinstance(found, str | int | float) and not SECRETS.intersection(place)
    shown = f"; found {shortened(repr(found), SHOWN_VALUE)}" if is_shown else ""
    return f"{name}: {said}{shown}" if name else f"{said}{shown}"


class XmlResponse(Response):
    """An XML document."""

    media_type = XML


def xml_text(value: object) -> str:
    """Text for an element or attribute; what XML can't hold becomes the replacement character."""
    return escape(_NO_XML.sub("\ufffd", str(value)))


def xml_attribute(value: object) -> str:
    """Text for an attribute, in its quotes."""
    if isinstance(value, str) and _PLAIN(value):
        return f'"{value}"'
    return quoteattr(_NO_XML.sub("\ufffd", str(value)))


def xml_document(root: str, attributes: Mapping[str, object], content: str = "") -> str:
    """An XML document; `content` is XML already."""
    given = "".join(f" {name}={xml_attribute(value)}" for name, value in attributes.items())
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}{given}>{content}</{root}>\n'


def xml_element(name: str, value: object) -> str:
    """An element that holds text."""
    return f"<{name}>{xml_text(value)}</{name}>"


def xml_of(value: Any, root: str = "result") -> bytes:
    """JSON-like data as XML: the items of a list are elements called ``item``."""
    element = ElementTree.Element(root)
    _fill(element, value)
    document: bytes = ElementTree.tostring(element, encoding="utf-8", xml_declaration=True)
    return document


def _fill(element: ElementTree.Element, value: Any) -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            name = str(key) if re.fullmatch(r"[A-Za-z_][\w.-]*", str(key), re.ASCII) else "item"
            _fill(ElementTree.SubElement(element, name), item)
    elif isinstance(value, list | tuple):
        for item in value:
            _fill(ElementTree.SubElement(element, "item"), item)
    elif value is not None:
        text = json.dumps(value) if isinstance(value, bool) else str(value)
        element.text = _NO_XML.sub("\ufffd", text)


def wants_xml(request: Request) -> bool:
    """Whether a client prefers XML to JSON."""
    accept = request.headers.get("accept", "")
    xml = min((accept.find(kind) for kind in (XML, "text/xml") if kind in accept), default=-1)
    json_at = accept.find("application/json")
    return xml >= 0 and not 0 <= json_at < xml


def answered(request: Request, content: Any, status: int = 200, **headers: str) -> Response:
    """JSON, or XML if the client prefers it."""
    if wants_xml(request):
        return Response(xml_of(content), status, headers, media_type=XML)
    return JSONResponse(content, status, headers)


def refused(request: Request, refusal: RefusedError, *, failed_status: int | None) -> Response:
    """Answer to a request that is not taken, in the form of its part of the interface.

    Parameters
    ----------
    request : Request
        The request.
    refusal : RefusedError
        Why.
    failed_status : int, optional
        HTTP status of every DEV answer with status ``failed``; default: the refusal's own.
    """
    path, reason, headers = request.url.path, refusal.reason, refusal.headers
    if path.startswith("/webservice/"):
        root = "queuecalls" if "queuecalls" in path else "queuecall"
        document = xml_document(root, {"status": "failed"}, xml_element("error", reason))
        return XmlResponse(document, failed_status or refusal.status, headers)
    if path.startswith("/ws/"):
        return answered(
            request,
            {"status": "failure", "error": reason, "result": None},
            refusal.status,
            **headers,
        )
    if path.startswith("/api/"):
        return answered(request, {"error": reason}, refusal.status, **headers)
    content = {"error": reason} | ({"nearest": refusal.nearest} if refusal.nearest else {})
    return JSONResponse(content, refusal.status, headers)
