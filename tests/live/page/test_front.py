"""The paths of the page beside those of the platform: who may ask, and what is noted."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import httpx
import pytest

from outsim.live.page.front import ROOMS


@pytest.fixture(scope="module")
def client(opened):
    with httpx.Client(base_url=opened.url, trust_env=False, timeout=60) as made:
        yield made


def upgraded(url: str, **headers: str) -> str:
    """The first line of the answer to a request for a web socket."""
    there = urlsplit(url)
    asked = {
        "Host": there.netloc,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
        **headers,
    }
    lines = [f"{name}: {value}" for name, value in asked.items()]
    path = "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
    with socket.create_connection((there.hostname, there.port)) as wire:
        wire.sendall("\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode())
        return wire.recv(1000).splitlines()[0].decode()


@pytest.mark.parametrize("path", ROOMS)
def test_rooms_are_for_this_machine_only(client, path):
    assert client.get(path).status_code == 200
    assert client.get(path, headers={"Host": "evil.example"}).status_code == 403
    assert client.get(path, headers={"Origin": "http://evil.example"}).status_code == 403


def test_pages_of_other_hosts_open_no_socket(opened):
    own = {"Origin": opened.url}
    assert "101" in upgraded(opened.url, **own)
    assert "403" in upgraded(opened.url, Origin="http://evil.example")


def test_nothing_of_the_page_comes_from_elsewhere_or_is_noted(client):
    answer = client.get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy
    assert client.get("/sandbox/requests").json() == []


def test_the_rest_is_the_platforms(client):
    assert client.get("/docs").status_code == 200
    assert client.get("/health").json()["status"] == "ok"
    lost = client.get("/nowhere")
    assert (lost.status_code, lost.headers["content-type"]) == (404, "application/json")
    assert not {*ROOMS} & {*client.get("/openapi.json").json()["paths"]}


def test_an_upload_of_unknown_length_is_refused_before_it_is_read(client):
    assert client.post("/_nicegui/client/x/upload/1", content=iter([b"x"])).status_code == 411


def test_an_upload_that_is_too_large_is_refused_before_it_is_read(opened):
    there = urlsplit(opened.url)
    head = {
        "Host": there.netloc,
        "Content-Type": "multipart/form-data; boundary=x",
        "Content-Length": f"{10**12}",
    }
    lines = [f"{name}: {value}" for name, value in head.items()]
    with socket.create_connection((there.hostname, there.port)) as wire:
        wire.sendall("\r\n".join(["POST /_nicegui/upload HTTP/1.1", *lines, "", ""]).encode())
        assert b" 413 " in wire.recv(1000).splitlines()[0]
