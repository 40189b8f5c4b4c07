"""The application: all endpoints, their description, and how refusals are worded."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi_offline import FastAPIOffline
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp

from outsim._version import __version__
from outsim.errors import SandboxError
from outsim.live.http import call_logs, control, dev, faults, fuse, looking, pacing
from outsim.live.http.answers import RefusedError, problems_in_words, refused
from outsim.live.http.context import Context, Here, noted, refusal_of
from outsim.live.http.gate import Gate
from outsim.live.http.grades import grade_the_rest
from outsim.live.http.seen import note_fields
from outsim.live.page.front import Front

DESCRIPTION = """\
A simulated outbound calling platform that answers as the real one does. Everything has a grade, \
`x-grade`: *documented* (public pages state it), *inferred* (they support it), *ours* (the \
sandbox's own). Times are simulated times: see `/sandbox/clock`.
"""


def application(context: Context, front: Front | None = None) -> ASGIApp:
    """Everything that a sandbox answers over HTTP, with its page if it has one."""
    app = FastAPIOffline(
        title="outsim sandbox",
        version=__version__,
        description=DESCRIPTION,
        redoc_url=None,
        strict_content_type=False,
    )
    app.state.context = context
    for part in (dev, fuse, call_logs, control, faults, looking):
        app.include_router(part.router)
    if context.settings.pacing_api:
        app.include_router(pacing.router)
    app.add_api_route("/health", _health, tags=["Sandbox"], summary="Whether it is there")
    for kind, handler in (
        (RefusedError, _refused),
        (SandboxError, _sandbox_error),
        (RequestValidationError, _invalid),
        (HTTPException, _http_error),
        (Exception, _broken),
    ):
        app.add_exception_handler(kind, handler)
    app.openapi = lambda: _description(app)  # type: ignore[method-assign]
    return Gate(app, context, front)


async def _health(context: Here) -> dict[str, Any]:
    """Whether the sandbox is there, and how its clock stands."""
    return {"status": "ok", "version": __version__, "clock": context.sandbox.clock.view.state}


def _description(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
        )
        for methods in document["paths"].values():
            for operation in methods.values():
                # A field that is missing or wrong is answered with 400.
                operation["responses"].pop("422", None)
                operation["responses"].setdefault("400", {"description": "It makes no sense"})
        for unused in ("HTTPValidationError", "ValidationError"):
            document["components"]["schemas"].pop(unused, None)
        app.openapi_schema = grade_the_rest(document)
    return app.openapi_schema


def _answer(request: Request, refusal: RefusedError) -> Response:
    context: Context = request.app.state.context
    note = noted(request)
    if note is not None:
        note.reason, note.nearest = refusal.reason, refusal.nearest
    return refused(request, refusal, failed_status=context.settings.failed_status)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    return _answer(request, error)


async def _sandbox_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, SandboxError)
    return _answer(request, refusal_of(error))


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    reason, nearest = str(error.detail), ""
    if error.status_code == 404:
        reason = "there is nothing here"
        near = get_close_matches(request.url.path, request.app.openapi()["paths"], n=1, cutoff=0.5)
        nearest = near[0] if near else "/docs lists everything"
    elif error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        reason = f"{request.method} is not allowed here"
        nearest = f"{allowed} {request.url.path}"
    return _answer(request, RefusedError(error.status_code, reason, nearest, error.headers))


async def _broken(request: Request, _error: Exception) -> Response:
    return _answer(request, RefusedError(500, "the sandbox failed; its log says where"))


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    reason = problems_in_words(error.errors())
    model, nearest = _model_of(request), ""
    if model is not None:
        required = [name for name, field in model.model_fields.items() if field.is_required()]
        nearest = f"{request.method} {request.url.path} with {', '.join(required)}"
        note = noted(request)
        if note is not None and isinstance(error.body, Mapping) and not note.fields:
            note_fields(note, error.body, model.model_fields)
            meant = [f"{found} for {near}" for found, near in note.ignored.items() if near]
            nearest += f" (found {', '.join(meant)})" if meant else ""
    return _answer(request, RefusedError(400, reason, nearest))


def _model_of(request: Request) -> type[BaseModel] | None:
    """Model of the body that an endpoint takes, if it takes one."""
    route = request.scope.get("route")
    field = getattr(route, "body_field", None)
    model = getattr(getattr(field, "field_info", None), "annotation", None)
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None
