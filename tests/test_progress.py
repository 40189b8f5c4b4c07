import nbformat
import pytest
from nbclient import NotebookClient

from outsim.errors import StudyError
from outsim.progress import bar, reporting, unseen


def outputs(source):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    NotebookClient(notebook, timeout=60).execute()
    return notebook.cells[0].outputs


@pytest.fixture(autouse=True)
def without_a_home(monkeypatch):
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")


def test_a_file_gets_no_bar(capfd):
    with bar("runs") as shown:
        assert shown is unseen
    assert capfd.readouterr() == ("", "")


def test_an_unknown_word_for_progress_is_refused():
    with pytest.raises(StudyError, match=r"'barr'.*did you mean 'bar'"), reporting("barr"):
        pass


def test_a_notebook_gets_a_bar_and_keeps_what_the_cell_prints():
    """Told by a thread, while the cell prints: neither takes anything from the other."""
    shown = outputs(
        """
from concurrent.futures import ThreadPoolExecutor
from outsim.progress import bar

with ThreadPoolExecutor() as pool:
    for round in range(10):
        with bar("runs") as report:
            told = pool.submit(lambda: [report(done, 40) for done in range(41)])
            for line in range(20):
                print("round", round, "line", line)
            told.result()
"""
    )
    printed = "".join(output.get("text", "") for output in shown)
    assert printed.splitlines() == [
        f"round {round} line {line}" for round in range(10) for line in range(20)
    ]
    bars = [output for output in shown if output.output_type == "display_data"]
    assert len(bars) == 10


def test_a_bar_follows_work_that_grows():
    _, shown = outputs(
        """
from ipywidgets.widgets import widget
from outsim.progress import bar

with bar("runs") as report:
    report(5, 20)
    report(30, 40)
    print(*((one.value, one.max) for one in widget._instances.values() if hasattr(one, "max")))
"""
    )
    assert shown.text == "(30.0, 40.0)\n"
