"""queuecall.php and queuecalls.php: what is taken, what is refused, and in which words."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

TOO_LONG = {
    "login": 128,
    "pin": 16,
    "phone_number": 128,
    "start_url": 255,
    "result_url": 255,
    "message_reference": 255,
    "call_parameters": 255,
}


def read(answer):
    return ElementTree.fromstring(answer.text)


def test_a_call_is_queued_and_echoed(server):
    answer = server.queuecall()
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/xml")
    call = read(answer)
    assert (call.tag, call.get("status")) == ("queuecall", "queued")
    assert len(call.get("call_id")) == 9
    assert {child.tag: child.text for child in call} == {
        "login": server.clinic.login,
        "pin": server.clinic.pin,
        "phone_number": "2125550100",
        "start_url": f"{server.url}/inbox/start",
    }


@pytest.mark.parametrize(
    "number", ["2125550100", "12125550100", "tel:12125550100", "+12125550100;ani=12125550199"]
)
def test_every_documented_form_of_a_number_is_taken(server, number):
    assert read(server.queuecall(phone_number=number)).get("status") == "queued"


@pytest.mark.parametrize("name", ["max_retry", "max_retries"])
def test_both_names_of_the_retries_are_known(server, name):
    call_id = int(read(server.queuecall(**{name: "3"})).get("call_id"))
    assert server.client.get(f"/sandbox/calls/{call_id}").json()["max_retry"] == 3


def test_the_two_names_may_not_contradict_each_other(server):
    answer = server.queuecall(max_retry="3", max_retries="4")
    assert answer.status_code == 400
    assert "max_retry and max_retries differ" in answer.text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"max_retry": "11"}, "max_retry"),
        ({"retry_interval": "59"}, "retry_interval"),
        ({"retry_interval": "172801"}, "retry_interval"),
        ({"retry_interval": "often"}, "retry_interval"),
        ({"phone_number": ""}, "phone_number: is missing"),
        ({"phone_number": "call me"}, "phone_number"),
        ({"scheduled_timestamp": "-1"}, "scheduled_timestamp"),
        ({"scheduled_time": "when pigs fly"}, "scheduled_time"),
        ({"scheduled_time": "+3 days"}, "2026-03-13"),
        ({"scheduled_timestamp": "1"}, "1969-12-31 18:00:01"),
        ({"scheduled_timestamp": "1773153000", "scheduled_time": "now"}, "both given"),
        ({"expiration_time": "09:00"}, "expiration"),
        ({"start_url": "http://customer.example/start"}, "--allow-host customer.example"),
        ({"start_url": "ftp://127.0.0.1/x"}, "http://"),
        ({"start_url": "http://[oops"}, "is no URL"),
        *(({key: "1" * (most + 1)}, key) for key, most in TOO_LONG.items()),
    ],
)
def test_what_makes_no_sense_failed_and_says_why(server, given, said):
    answer = server.queuecall(**given)
    assert answer.status_code == 400
    assert read(answer).get("status") == "failed"
    assert said in read(answer).findtext("error")
    assert said in server.last_request()["reason"]


@pytest.mark.parametrize(
    "at", ["09:30", "in 30 minutes", "+30 minutes", "2026-03-10 10:30 America/New_York"]
)
def test_times_in_words(server, at):
    call_id = int(read(server.queuecall(scheduled_time=at)).get("call_id"))
    call = server.client.get(f"/sandbox/calls/{call_id}").json()
    assert call["start"] == 30 * 60 * 1_000_000


def test_now_is_now(server):
    call_id = int(read(server.queuecall(scheduled_time="now")).get("call_id"))
    call = server.client.get(f"/sandbox/calls/{call_id}").json()
    assert call["start"] == call["submitted_at"]


@pytest.mark.parametrize(
    "login", [{"pin": "wrong"}, {"login": "nobody"}, {"login": "gone", "pin": "1"}]
)
def test_a_wrong_login_failed(server, login):
    answer = server.queuecall(**login)
    assert answer.status_code == 401
    assert read(answer).get("status") == "failed"
    assert server.last_request()["fields"]["pin"] == "***"


def test_a_page_that_does_not_answer_its_preflight_fails_the_call(server):
    answer = server.queuecall(result_url=f"{server.url}/nothing/here")
    assert answer.status_code == 400
    assert "found status 404" in answer.text


def test_a_field_that_is_misspelled_is_noted_with_the_one_that_was_meant(server):
    server.queuecall(max_retrys="3")
    assert server.last_request()["ignored"] == {"max_retrys": "max_retry"}


def test_a_missing_field_is_named_with_the_one_that_was_meant(server):
    server.queuecall(phone_number=None, phonenumber="2125550100")
    assert "found phonenumber for phone_number" in server.last_request()["nearest"]


@pytest.mark.parametrize(
    "numbers",
    ["2125550100\n2125550101\n12\n", "destination,name\n2125550100,A\n2125550101,B\n12,C\n"],
)
def test_a_list_becomes_a_campaign(server, numbers):
    answer = read(server.queuecalls(numbers))
    assert answer.get("status") == "queued"
    assert (answer.get("calls"), answer.get("rejected")) == ("2", "1")
    assert [call.get("phone_number") for call in answer.findall("call")] == [
        "2125550100",
        "2125550101",
    ]
    assert answer.findtext("rejected") == "wrong length"
    (campaign,) = server.client.get("/sandbox/campaigns", params={"tenant": "clinic"}).json()
    assert campaign["name"] == "reminders"


def test_a_campaign_has_a_name_of_its_own(server):
    server.queuecalls("2125550100\n")
    answer = server.queuecalls("2125550100\n")
    assert answer.status_code == 409
    assert read(answer).get("status") == "failed"


@pytest.mark.parametrize("numbers", [b"", b"\xff\xfe\n", b"2125550100\0\n", b"name\nAnn\n"])
def test_a_list_that_can_not_be_read_is_refused(server, numbers):
    answer = server.queuecalls(numbers)
    assert answer.status_code == 400
    assert read(answer).get("status") == "failed"


@pytest.mark.parametrize("kind", ["intake_429", "intake_503"])
def test_intake_is_full_on_order(server, kind):
    server.fault(kind, count=1)
    answer = server.queuecall()
    assert answer.status_code == int(kind[-3:])
    assert answer.headers["retry-after"]
    assert read(answer).get("status") == "failed"
    assert server.queuecall().status_code == 200


def test_a_preflight_fails_on_order(server):
    server.fault("preflight", count=1)
    assert server.queuecall().status_code == 400
    assert server.queuecall().status_code == 200


def test_an_answer_is_lost_on_order_and_the_call_was_taken(server):
    import httpx

    server.fault("answer_lost", count=1)
    with pytest.raises(httpx.RemoteProtocolError):
        server.queuecall()
    assert len(server.client.get("/sandbox/campaigns", params={"tenant": "clinic"}).json()) == 1
    assert server.last_request()["status"] == 0


def test_the_date_is_simulated(server):
    assert server.queuecall().headers["date"] == "Tue, 10 Mar 2026 14:00:00 GMT"


def test_another_method_is_answered_with_405(server):
    answer = server.client.get("/webservice/queuecall.php")
    assert answer.status_code == 405
    assert server.last_request()["nearest"] == "POST /webservice/queuecall.php"


def test_a_path_that_is_nearly_right_is_told(server):
    assert server.client.post("/webservice/queuecal.php").status_code == 404
    assert server.last_request()["nearest"] == "/webservice/queuecall.php"


def test_what_is_ignored_is_said_in_the_answer_and_found_again(server):
    answer = server.queuecall(not_before="tomorrow", expires="tomorrow")
    assert answer.status_code == 200
    said = {each.get("name"): each.get("nearest") for each in read(answer).findall("ignored")}
    assert said == {"not_before": "scheduled_timestamp", "expires": "expiration_timestamp"}
    assert "expires; nearest=expiration_timestamp" in answer.headers["x-sandbox-ignored"]
    server.queuecall()
    (found,) = server.client.get("/sandbox/requests", params={"only_ignored": True}).json()
    assert found["ignored"] == said
    assert server.client.get("/sandbox/requests", params={"only_refused": True}).json() == []


def test_an_uploaded_file_is_shown_by_its_size(server):
    server.queuecalls("2125550100\n")
    assert server.last_request()["fields"]["phone_number_list"] == "file 'numbers.txt' of 11 bytes"


def test_an_error_of_a_list_names_the_field_that_it_came_by(server):
    answer = server.queuecalls("name\nAnn\n")
    assert read(answer).findtext("error").startswith("phone_number_list, line 1: ")
    assert "destination" in server.last_request()["nearest"]


def test_a_list_that_is_no_file_is_told_to_be_sent_as_one(server):
    form = server.form(campaign_name="reminders")
    for more in ({"phone_number_list": "2125550100"}, {}):
        answer = server.client.post("/webservice/queuecalls.php", data=form | more)
        said = read(answer).findtext("error")
        assert "as a file, in a multipart form: curl -F phone_number_list=@FILE" in said


def test_a_time_that_is_no_unix_time_is_told_to_be_one(server):
    said = read(server.queuecall(expiration_timestamp="2026-03-10")).findtext("error")
    assert "seconds of UNIX time" in said


def test_a_path_that_is_nearly_right_has_the_nearest_in_its_answer(server):
    answer = server.client.post("/webservice/QueueCalls.php")
    assert answer.status_code == 404
    assert read(answer).tag == "queuecalls"
    assert "did you mean /webservice/queuecalls.php?" in read(answer).findtext("error")
