"""What is wrong with a request, in words for whoever sent it, and what would have been right."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, get_args

from fastapi import Request, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException

from outsim.errors import nearest
from outsim.live.http.answers import (
    NO_OBJECT,
    SHOWN_NAME,
    SHOWN_PROBLEMS,
    RefusedError,
    problems_in_words,
)
from outsim.live.http.context import noted
from outsim.live.http.seen import note_fields
from outsim.text import shortened, visible

PACING_PATHS = ("/api/schedules", "/api/profiles", "/api/campaigns")
"""Parts of the interface that are not there unless they are asked for."""
SHOWN_OPTIONAL = 6
"""Fields that need not be there which the nearest accepted form names at most."""
_MODEL = "outsim.model"
_BODIES = {
    "application/json": "JSON",
    "application/x-www-form-urlencoded": "form",
    "multipart/form-data": "multipart form with its boundary",
}


def validated(request: Request, model: type[BaseModel], given: Mapping[str, Any]) -> Any:
    """Fields of a request as a model has them; what it ignores is noted.

    Raises
    ------
    RequestValidationError
        If a field is missing or wrong.
    """
    note = noted(request)
    if note is not None:
        note_fields(note, given, model.model_fields)
    request.scope[_MODEL] = model
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False), body=given) from None


def of_fields(request: Request, error: RequestValidationError) -> RefusedError:
    """Fields that are missing or wrong."""
    model = _model_of(request)
    known = _known_of(request, model)
    reason = problems_in_words(error.errors(), known)
    kind = _content_type(request)
    if reason == NO_OBJECT and kind != "application/json":
        reason += f", with the header Content-Type: application/json; found {kind or 'none'}"
    if model is None:
        return RefusedError(400, reason)
    wrong = {str(part) for problem in error.errors() for part in problem["loc"][:2]}
    accepted = f"{request.method} {request.url.path} with {_accepted(model, error.body, wrong)}"
    note = noted(request)
    if note is not None:
        if isinstance(error.body, Mapping) and not note.fields:
            note_fields(note, error.body, model.model_fields)
        meant = [f"{found} for {near}" for found, near in note.ignored.items() if near]
        accepted += f" (found {', '.join(meant)})" if meant else ""
    return RefusedError(400, reason, accepted)


def of_http(request: Request, error: HTTPException) -> RefusedError:
    """A path, a method or a body that there is nothing for."""
    path, method = request.url.path, request.method
    reason, near, headers = str(error.detail), "", dict(error.headers or {})
    if error.status_code == 404:
        reason = f"there is nothing at {shortened(path, SHOWN_NAME)}"
        paths = [p for p in request.app.openapi()["paths"] if p[1:2] == path[1:2]]
        found = get_close_matches(path.casefold(), paths, n=1, cutoff=0.7)
        near = found[0] if found else "/docs has everything that there is"
        is_switched_off = path in PACING_PATHS and path not in paths
        if is_switched_off:
            near = "outsim serve --pacing-api"
            reason += f"; {near} has it"
        elif found:
            reason += f"; did you mean {near}?"
    elif error.status_code == 405:
        methods = _methods_of(request)
        reason = f"{method} is not allowed here; allowed: {', '.join(methods)}"
        near, headers["Allow"] = f"{methods[0]} {path}", ", ".join(methods)
    elif error.status_code == 401:
        reason = "the Authorization header can't be read; write Basic or Bearer, and what it takes"
    elif error.status_code == 400:
        kind = _content_type(request)
        reason = f"the body can't be read as {kind or 'what this endpoint takes'}"
        near = f"a {_BODIES[kind]}" if kind in _BODIES else " or ".join(_BODIES)
    return RefusedError(error.status_code, reason, near, headers)


def _content_type(request: Request) -> str:
    """What a request says that its body is."""
    return request.headers.get("content-type", "").partition(";")[0].strip()


def unknown_parameters(given: Sequence[str], known: Sequence[str]) -> str:
    """Parameters of a query that mean nothing."""
    problems = []
    for name in given[:SHOWN_PROBLEMS]:
        allowed = nearest(name, known) if known else "this endpoint takes none"
        shown = shortened(visible(name) or repr(name), SHOWN_NAME)
        problems.append(f"{shown}: there is no such parameter; {allowed}")
    return "; ".join(problems)


def _methods_of(request: Request) -> list[str]:
    """Methods of the endpoints at a path."""
    found = {
        method.upper()
        for path, methods in request.app.openapi()["paths"].items()
        if re.fullmatch(re.sub(r"\\?\{\w+\\?\}", "[^/]+", re.escape(path)), request.url.path)
        for method in methods
    }
    return sorted(found) or ["GET"]


def _model_of(request: Request) -> type[BaseModel] | None:
    """Model of the body that an endpoint takes, if it takes one."""
    if _MODEL in request.scope:
        found: type[BaseModel] = request.scope[_MODEL]
        return found
    route = request.scope.get("route")
    field = getattr(route, "body_field", None)
    annotation = getattr(getattr(field, "field_info", None), "annotation", None)
    for model in (annotation, *get_args(annotation)):
        if isinstance(model, type) and issubclass(model, BaseModel):
            return model
    return None


def parameters_of(request: Request) -> list[str]:
    """Names that may be in the query of a request."""
    route = request.scope.get("route")
    if not isinstance(route, APIRoute):
        return []
    found, left = [], [route.dependant]
    while left:
        dependant = left.pop()
        found += [field.alias for field in dependant.query_params]
        left += dependant.dependencies
    return found


def _known_of(request: Request, model: type[BaseModel] | None) -> dict[str, list[str]]:
    """Names that may be given, by where in a request."""
    return {
        "body": list(model.model_fields) if model is not None else [],
        "query": parameters_of(request),
        "files": [
            name
            for name, field in (model.model_fields if model is not None else {}).items()
            if field.annotation is UploadFile
        ],
    }


def _accepted(model: type[BaseModel], body: Any, wrong: Collection[str]) -> str:
    """What a body may look like: what was given without what is wrong, if that will do."""
    extra = model.model_config.get("json_schema_extra")
    if isinstance(extra, dict) and isinstance(examples := extra.get("examples"), list):
        given = body if isinstance(body, Mapping) else {}
        remaining = {key: value for key, value in given.items() if key not in wrong}
        try:
            model.model_validate(remaining)
        except ValidationError:
            return json.dumps(examples[0])
        return json.dumps(remaining or examples[0])
    fields = model.model_fields
    required = [name for name, field in fields.items() if field.is_required()]
    optional = [name for name in fields if name not in required]
    more = ", ..." if len(optional) > SHOWN_OPTIONAL else ""
    may = f"may have {', '.join(optional[:SHOWN_OPTIONAL])}{more}" if optional else ""
    return "; ".join(part for part in (", ".join(required), may) if part)
