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

from outsim.errors import nearest
from outsim.live.http.seen import SECRETS
from outsim.scenario.checking import in_words
from outsim.text import shortened, visible

XML = "application/xml"
BLOCKLIST = "/api/numbers"
"""Its refusals have a form of their own."""
SHOWN_PROBLEMS = 5
SHOWN_NAME = 60
NO_OBJECT = "the body must be a JSON object"
_PLACES = ("body", "query", "path", "header", "cookie")
"""Parts of a request, as pydantic's problems name them first."""
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
        self.more: dict[str, Any] = {}
        """What an answer of the sandbox's own part says beside."""


def problems_in_words(
    problems: Sequence[Mapping[str, Any]], known: Mapping[str, Sequence[str]] | None = None
) -> str:
    """What pydantic found wrong with the fields of a request.

    Parameters
    ----------
    problems : sequence of mappings
        As pydantic lists them.
    known : mapping, optional
        Names that may be given, by where in a request: ``body``, ``query``; those of the body
        that are files: ``files``.
    """
    found = [_problem(problem, known or {}) for problem in problems[:SHOWN_PROBLEMS]]
    more = len(problems) - len(found)
    return "; ".join(found) + (f"; and {more} more" if more > 0 else "")


def _problem(problem: Mapping[str, Any], known: Mapping[str, Sequence[str]]) -> str:
    """What is wrong with one field, and what was found unless it is a secret."""
    location: tuple[str | int, ...] = problem.get("loc") or ("",)
    within, place = (
        ("body", location)
        if location[0] not in _PLACES
        else (
            str(location[0]),
            location[1:],
        )
    )
    name = shortened(visible(".".join(str(part) or repr(part) for part in place)), SHOWN_NAME)
    kind, said = problem["type"], ""
    if kind == "json_invalid":
        why = str(problem.get("ctx", {}).get("error", "")).lower()
        return f"the body is no JSON: {why} at character {place[0] if place else 0}"
    if not place and kind == "missing":
        return "there is no body; give one"
    if not place and kind != "value_error":
        return NO_OBJECT
    if place and within == "body" and place[0] in (known.get("files") or ()):
        what = "is missing" if kind == "missing" else "found a text"
        said = f"{what}; send it as a file, in a multipart form: curl -F {name}=@FILE"
    elif kind == "missing":
        said = "is missing"
    elif kind == "extra_forbidden":
        allowed = known.get(within, ()) if len(place) == 1 else ()
        said = "there is no such field" + (f"; {nearest(place[0], allowed)}" if allowed else "")
    else:
        is_secret = bool(SECRETS.intersection(map(str, place)))
        found = "***" if is_secret else problem.get("input")
        said = in_words({**problem, "loc": place or ("",)}, found)  # type: ignore[typeddict-item]
        said = said.replace("found None", "found null", 1) if found is None else said
        if kind.startswith("int_") and name.endswith("timestamp"):
            said += ": seconds of UNIX time, such as 1773151200"
    return f"{name}: {said}" if name else said


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
        root = "queuecalls" if "queuecalls" in path.casefold() else "queuecall"
        document = xml_document(root, {"status": "failed"}, xml_element("error", reason))
        return XmlResponse(document, failed_status or refusal.status, headers)
    if path.startswith("/ws/"):
        return answered(
            request,
            {"status": "failure", "error": reason, "result": None},
            refusal.status,
            **headers,
        )
    if path == BLOCKLIST:
        return answered(request, {"success": False, "error": reason}, refusal.status, **headers)
    if path.startswith("/api/"):
        return answered(request, {"error": reason}, refusal.status, **headers)
    content = {"error": reason} | ({"nearest": refusal.nearest} if refusal.nearest else {})
    return JSONResponse(content | refusal.more, refusal.status, headers)
