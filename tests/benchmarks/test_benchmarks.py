"""The benchmarks' own arithmetic and reports. Nothing here times anything."""

import json
import subprocess
import sys

import pytest

from benchmarks import cancel, chat, decode, fairness, many, report, startup, xray
from benchmarks.local import Run
from benchmarks.plain import Answer
from benchmarks.report import Goal, Sample, Watch, finish, line, significant, table
from benchmarks.server import ROOT, serving

SCRIPTS = (startup, chat, cancel, fairness, decode, many, xray)

SERVE = """
import http.server, sys
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/" else 404)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Page).serve_forever()
"""


def test_jains_index_is_one_for_equal_shares_and_one_nth_for_all_to_one():
    assert fairness.jain([3.0, 3.0]) == pytest.approx(1)
    assert fairness.jain([5.0, 0.0]) == pytest.approx(1 / 2)
    assert fairness.jain([0.0, 0.0, 0.0, 7.0]) == pytest.approx(1 / 4)


def test_jains_index_does_not_depend_on_the_unit():
    assert fairness.jain([1.0, 2.0, 4.0]) == pytest.approx(fairness.jain([1000.0, 2000.0, 4000.0]))


def test_a_sample_is_its_median_and_its_spread():
    sample = Sample.of([3.0, 1.0, 10.0])
    assert (sample.median, sample.low, sample.high, sample.runs) == (3.0, 1.0, 10.0, 3)
    assert sample.text("ms", 1000, 0) == "3000 ms  (1000 to 10000)"


def test_a_goal_is_met_at_its_bound_from_the_right_side():
    assert Goal("wait", 1.0, 1.0).met and not Goal("wait", 1.01, 1.0).met
    assert Goal("rate", 0.95, 0.95, at_least=True).met and not Goal("rate", 0.94, 0.95, at_least=True).met


def test_a_goal_that_was_missed_never_reads_as_met_after_rounding():
    missed = Goal("rate", 0.949999, 0.95, at_least=True).json()
    assert missed["met"] is False


def test_the_last_line_of_a_report_is_one_json_document(capsys: pytest.CaptureFixture[str]):
    finish("some", {"runs": 2, "page_s": Sample.of([1.0, 2.0])}, [Goal("page", 1.5, 6), Goal("more", 7, 6)], Watch())
    document = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert document["benchmark"] == "some"
    assert document["page_s"] == {"median": 1.5, "low": 1.0, "high": 2.0}
    assert [goal["met"] for goal in document["goals"]] == [True, False]
    assert document["goals_met"] is False
    assert document["machine"]["cores"] >= 1
    assert document["machine"]["load"]["not_counted"] == 0


def test_a_disturbed_measurement_is_repeated_and_not_counted(monkeypatch: pytest.MonkeyPatch):
    busy = iter([0.0, 0.0, 0.0, 10_000.0, 10_000.0, 10_000.0, 10_000.0, 10_000.0])  # before and after each look
    monkeypatch.setattr(report, "_busy", lambda: next(busy))
    monkeypatch.setattr(report, "_ours", lambda: 0.0)
    monkeypatch.setattr(report.time, "sleep", lambda seconds: None)
    results = iter(["disturbed", "calm"])
    watch = Watch(calm=0.1)
    assert watch.measure(lambda: next(results)) == "calm"
    assert watch.json()["not_counted"] == 1


def test_without_a_bound_everything_counts():
    watch = Watch()
    assert [watch.measure(lambda number=number: number) for number in range(3)] == [0, 1, 2]
    assert watch.json()["not_counted"] == 0


def test_a_report_refuses_numbers_that_json_does_not_have():
    with pytest.raises(ValueError):
        line("some", {"ratio": float("nan")}, [], {})


def test_numbers_are_rounded_to_what_a_measurement_can_mean():
    assert significant(1234.567) == 1235
    assert significant(0.00123456) == 0.001235


def test_a_table_has_its_columns_under_each_other():
    rows = table(("", "bare", "ours"), [("page", "4.1 s", "4.9 s"), ("memory", "", "1")]).splitlines()
    assert [row.find(cell) for row, cell in zip(rows[2:], ("4.9", "1"), strict=True)] == [rows[0].find("ours")] * 2


def test_an_answers_rates_count_the_first_token_only_in_the_whole():
    answer = Answer((1.0, 1.5, 2.0), 2.5, "a b c")
    assert answer.first == 1.0
    assert answer.decode_rate == pytest.approx(2.0)
    assert answer.whole_rate == pytest.approx(1.2)


def test_a_run_knows_what_each_token_took():
    assert Run(0.0, [1.0, 1.5, 3.0]).gaps == [0.5, 1.5]
    assert Run(0.0).gaps == []


@pytest.mark.parametrize(
    ("said", "rate"), [("42.5", 42.5), ('loading\n{"tokens_s_32": {"median": 40.0, "low": 1, "high": 50}}', 40.0)]
)
def test_another_programs_last_line_says_how_fast_it_is(said: str, rate: float):
    assert decode.peer_rate(f"echo '{said}'") == rate


@pytest.mark.parametrize("script", SCRIPTS)
def test_options_have_defaults_and_unknown_ones_are_refused(script, capsys: pytest.CaptureFixture[str]):
    assert [name for name, value in vars(script.arguments([])).items() if value is None] == ["calm"]
    with pytest.raises(SystemExit):
        script.arguments(["--no-such-option"])
    assert "usage: python -m benchmarks." in capsys.readouterr().err


@pytest.mark.parametrize("script", SCRIPTS)
def test_each_script_says_what_it_measures(script):
    assert len(script.__doc__.splitlines()) > 10


def test_the_issues_fifty_cancels_are_the_default():
    assert cancel.arguments([]).runs == 50


def test_importing_the_benchmarks_does_no_work_and_loads_no_torch():
    names = ", ".join(f"benchmarks.{name}" for name in ("startup", "cancel", "fairness", "plain", "local"))
    program = f"import sys, {names}; print('torch' in sys.modules)"
    child = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert child.stdout.strip() == "False"


def test_a_served_program_is_waited_for_and_ended():
    with serving(("-c", SERVE)) as server:
        assert server.seconds_until("/") > 0
    assert server.process.poll() is not None


def test_a_program_that_ends_before_it_serves_is_an_error():
    with serving(("-c", "raise SystemExit(3)")) as server, pytest.raises(RuntimeError, match="status 3"):
        server.seconds_until("/")
