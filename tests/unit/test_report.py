"""What a run of the integration suite tells of itself: real runs of little suites, and their recap, JUnit XML and page."""

import shutil
import threading
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.integration.report import page, words
from tests.integration.report.phases import Record, phase, record
from tests.integration.report.run import Run, Test, union

pytest_plugins = ["pytester"]
REPOSITORY = Path(__file__).parents[2]
VOID = {"br", "hr", "img", "input", "link", "meta"}
CONFTEST = """
import subprocess
import pytest
from tests.integration.report.phases import fact, phase

pytest_plugins = ["tests.integration.report.plugin"]

class Host:
    contain_path = "{contain}"

    def __init__(self, name):
        self.name = name

    def shell(self, script, *words):
        done = subprocess.run(["sh", "-c", script, "sh", *words], capture_output=True, encoding="utf-8", check=True)
        done.lines = done.stdout.splitlines()
        return done

def pytest_generate_tests(metafunc):
    if "host" in metafunc.fixturenames:
        metafunc.parametrize("host", ["one", "two"], indirect=True, scope="session")

@pytest.fixture(scope="session")
def host(request):
    with phase(request.param, "boot") as boot:
        boot.progress("kernel \\x1b[32mstarted\\x1b[0m\\r\\n")
    fact(request.param, "accelerator", "a <fast> one")
    yield Host(request.param)

@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        report.sections.append(("dmesg since the test began", "a & b \\x00 \\ud800"))
    return report
"""


class Page(HTMLParser):
    """A page as read by the standard library, which must find every element closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] not in (["style"], ["script"]):
            self.words.append(data)

    @property
    def text(self) -> str:
        return "".join(self.words)

    def classes(self, tag: str) -> list[set[str]]:
        return [set((attributes.get("class") or "").split()) for name, attributes in self.elements if name == tag]

    def rows(self, outcome: str) -> int:
        return sum({"row", outcome} <= names for names in self.classes("details"))


class Ran:
    """A little suite that has run: what the terminal showed, and the two files."""

    def __init__(self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tests: str, *options: str) -> None:
        monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
        pytester.makeconftest(CONFTEST.format(contain=REPOSITORY / "bin/contain"))
        pytester.makepyfile(test_little=f"import os, sys, pytest\n{tests}")
        plain = ["-p", "no:pytest11.testinfra", "-p", "no:cacheprovider", "-ra", "--report", "out"]
        result = pytester.runpytest_subprocess(*plain, *options, timeout=120)
        self.lines = [line for line in result.outlines if line]
        begin = next((number for number, line in enumerate(self.lines) if " recap " in line), len(self.lines))
        self.recap = self.lines[begin + 1 :]
        index = pytester.path / "out/index.html"
        self.page = Page(index.read_text(encoding="utf-8") if index.is_file() else "")
        self.xml = ET.parse(pytester.path / "out/junit.xml")  # noqa: S314 - our own

    def recap_of(self, host: str) -> list[str]:
        return next(line for line in self.recap if line.startswith(f"{host} ")).split()


class Runner:
    """The fixture `run`: tests and options in, a suite that has run out."""

    def __init__(self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pytester, self.monkeypatch = pytester, monkeypatch

    def __call__(self, tests: str, *options: str) -> Ran:
        return Ran(self.pytester, self.monkeypatch, tests, *options)


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Runner:
    return Runner(pytester, monkeypatch)


EVERY_OUTCOME = """
def test_good(host): print("said")
def test_bad(host): assert 1 == 2, "the wall fell"
def test_skipped(host): pytest.skip("no <such> kernel")
@pytest.mark.skipif(True, reason="no <such> kernel")
def test_skipped_too(host): pass
@pytest.mark.xfail(reason="known")
def test_expected(host): assert 0
@pytest.fixture
def leaky(host):
    yield
    pytest.fail("left behind:\\nveth0", pytrace=False)
def test_leak(leaky): pass
def test_of_no_host(): pass
"""


def test_every_test_is_told_by_host_and_outcome(run: Runner) -> None:
    ran = run(EVERY_OUTCOME)
    for host in ("one", "two"):
        assert ran.recap_of(host)[:7] == [host, ":", "ok=1", "failed=1", "errors=1", "skipped=2", "xfailed=1"]
    assert ran.recap_of("controller")[2:5] == ["ok=1", "failed=0", "errors=0"]
    counted = {outcome: ran.page.rows(outcome) for outcome in ("passed", "failed", "error", "skipped", "xfailed")}
    assert counted == {"passed": 3, "failed": 2, "error": 2, "skipped": 4, "xfailed": 2}
    assert ran.page.text.count("4 of 13 tests failed") == 2, "in the title and as the heading"


def test_the_recap_gives_reasons_and_leaves_pytest_the_last_line(run: Runner) -> None:
    ran = run(EVERY_OUTCOME)
    assert "   4  no <such> kernel  (one, two)" in ran.recap
    assert "FAILED test_little.py::test_bad[two] - AssertionError: the wall fell" in ran.recap
    assert "ERROR test_little.py::test_leak[one] - Failed: left behind: veth0" in ran.recap
    assert ran.recap[-2].startswith("page: /")
    assert ran.recap[-2].endswith("out/index.html")
    assert "2 failed, 5 passed, 4 skipped, 2 xfailed, 2 errors in" in ran.recap[-1]
    assert sum("test_bad[two] - " in line for line in ran.lines) == 1, "pytest's own summary does not say it again"


def test_junit_knows_hosts_phases_and_diagnosis(run: Runner) -> None:
    ran = run(EVERY_OUTCOME)
    suite = {str(p.get("name")): str(p.get("value")) for p in ran.xml.iterfind("testsuite/properties/property")}
    assert (
        suite["one: kernel"] == suite["two: kernel"] == Path("/proc/sys/kernel/osrelease").read_text(encoding="utf-8").strip()
    )
    assert suite["one: boot"].endswith(" s")
    cases = {str(case.get("name")): case for case in ran.xml.iter("testcase")}
    assert cases["test_bad[two]"].findtext("system-out") == "---- dmesg since the test began ----\na & b ␀ \\ud800"
    assert "said" in str(cases["test_good[one]"].findtext("system-out"))
    told = {str(p.get("name")): str(p.get("value")) for p in cases["test_bad[two]"].iterfind("properties/property")}
    assert (told["host"], told["nodeid"]) == ("two", "test_little.py::test_bad[two]")
    assert {"seconds of setup", "seconds of call", "seconds of teardown"} <= told.keys()
    assert ran.xml.getroot()[0][0].tag == "properties"


def test_the_page_needs_nothing_but_itself(run: Runner) -> None:
    ran = run(EVERY_OUTCOME)
    links = [value for _, attributes in ran.page.elements for name in ("href", "src") if (value := attributes.get(name))]
    ids = [value for _, attributes in ran.page.elements if (value := attributes.get("id"))]
    assert len(ids) == len(set(ids))
    assert {link for link in links if not link.startswith("data:")} <= {f"#{name}" for name in ids}
    source = "".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "tests/integration/report").glob("page.*"))
    assert "http:" not in source
    assert "https:" not in source
    assert "url(" not in source


@pytest.mark.parametrize("quiet", [(), ("-q",), ("-v",), ("-s",)])
def test_phases_are_told_while_output_is_captured(run: Runner, quiet: tuple[str, ...]) -> None:
    ran = run("def test_before(): print('x')\ndef test_good(host): pass", *quiet)
    boot = ran.lines.index("one: boot …")
    assert ran.lines[boot + 1] == "one: kernel started"
    assert ran.lines[boot + 2].startswith("one: boot ")
    assert ran.page.classes("a").count({"phase"}) == 2
    assert "kernel started" in ran.page.text


def test_facts_are_asked_of_the_host_and_its_keeper_knows_better(run: Runner) -> None:
    ran = run("def test_good(host): pass")
    facts = ran.page.text.split("accelerator", 1)
    assert facts[1].startswith("a <fast> one")
    for name in ("kernel", "Python", "cgroup", "contain", "cores", "memory"):
        assert name in ran.page.words


def test_a_host_that_cannot_be_asked_fails_no_test(run: Runner) -> None:
    ran = run("@pytest.fixture(autouse=True)\ndef broken(host):\n    host.shell = None\ndef test_good(host): pass")
    assert ran.recap_of("one")[2:4] == ["ok=1", "failed=0"]
    assert "not to be had: 'NoneType' object is not callable" in ran.page.text


def test_what_is_printed_is_shown_and_never_obeyed(run: Runner) -> None:
    ran = run(r"""
def test_good(host):
    print("</pre><script>alert(1)</script> \x1b[31mred\x1b[0m \x07 {{ 7 * 7 }}")
    os.write(2, b"\xff\xfe\r\n")
def test_bad(host): assert "<img src=x>" == "\x1b]0;title\x07</style>"
""")
    assert "</pre><script>alert(1)</script> red ␇ {{ 7 * 7 }}" in ran.page.text
    tags = [tag for tag, _ in ran.page.elements]
    assert (tags.count("script"), tags.count("style"), tags.count("img")) == (1, 1, 0)


@pytest.mark.parametrize("how", ["raise KeyboardInterrupt", "signal.raise_signal(signal.SIGINT)", "pytest.exit('no root', 1)"])
def test_an_interrupted_run_has_its_page(run: Runner, how: str) -> None:
    handled = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it\n"
    ran = run(handled + f"def test_good(host): pass\ndef test_cut(host): {how}\ndef test_after(host): pass")
    assert ran.recap_of("one")[2:7] == ["ok=1", "failed=0", "interrupted=1", "skipped=0", "not-run=1"]
    assert "not-run=3" in ran.recap_of("two")
    assert ran.page.rows("interrupted") == 1
    assert "Ended early: " + ("no root" if "exit" in how else "KeyboardInterrupt") in ran.page.text


def test_a_run_that_ends_with_a_status_of_its_own_is_told(run: Runner) -> None:
    ran = run("def test_cut(host): pytest.exit('ended by SIGTERM', 143)")
    assert ran.recap_of("one")[2:5] == ["ok=0", "failed=0", "interrupted=1"]
    assert "ended early: ended by SIGTERM" in ran.recap
    assert "Ended early: ended by SIGTERM" in ran.page.text


def test_a_page_that_cannot_be_written_is_told(run: Runner) -> None:
    ran = run("def test_good(): os.mkdir('out'); os.mkdir('out/index.new'); os.mkdir('out/index.html')")
    assert "ok=1" in ran.recap_of("controller")
    assert ran.recap[-2].startswith("no page: /")
    assert ran.recap[-2].endswith("index.new: Is a directory")


def test_tests_that_were_not_run_are_counted(run: Runner) -> None:
    ran = run(EVERY_OUTCOME, "-x")
    assert "not-run=4" in ran.recap_of("one")
    assert "11 not run" in ran.page.text
    assert "Ended early: stopping after 1 failures" in ran.page.text


def test_a_file_that_cannot_be_read_is_told(run: Runner) -> None:
    ran = run("import nothing_of_that_name")
    assert "ERROR test_little.py - ModuleNotFoundError: No module named 'nothing_of_that_name'" in ran.recap
    assert ran.page.rows("error") == 1


def test_a_broken_boot_is_told_as_a_phase_that_failed(run: Runner) -> None:
    ran = run("""
@pytest.fixture(scope="session")
def host(request):
    from tests.integration.report.phases import phase
    with phase(request.param, "boot"):
        raise OSError("no answer on port 22\\nand more")
def test_good(host): pass
""")
    assert any(line.startswith("one: boot failed after ") and line.endswith(": no answer on port 22") for line in ran.lines)
    assert "FAILED one: boot - no answer on port 22" in ran.recap
    assert "broken-phases=1" in ran.recap_of("one")
    assert ran.page.classes("a").count({"phase", "broke"}) == 2


def test_without_a_folder_nothing_is_written(pytester: pytest.Pytester, run: Runner) -> None:
    run("def test_good(): pass")
    shutil.rmtree(pytester.path / "out")
    result = pytester.runpytest_subprocess("-p", "no:pytest11.testinfra", "-p", "no:cacheprovider", timeout=120)
    assert " recap " in result.stdout.str()
    assert not (pytester.path / "out").exists()


def test_six_thousand_tests_make_a_page_of_less_than_ten_megabytes() -> None:
    run = Run()
    for number in range(6000):
        test = run.start(f"tests/integration/test_some.py::test_a_promise_with_a_long_name[host{number % 4}-{number}]")
        test.host = f"host{number % 4}"
        test.outcome = "failed" if number % 10 == 0 else "passed"
        test.told["Captured stdout call", "<>&\n" * 10_000] = None
        run.stop()
    run.end()
    text = page.render(run, [])
    assert len(text.encode()) < 10_000_000
    assert "of 39,999 characters left out …]" in text
    assert Page(text).rows("failed") == 600


def test_phases_outside_of_pytest_are_told_on_stderr(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "phases", [])
    monkeypatch.setattr(record, "teller", Record().teller)

    def built() -> None:
        with phase("box", "build") as build:
            readers = [threading.Thread(target=build.progress, args=(f"line {n}\n\nsecond",)) for n in range(8)]
            for reader in readers:
                reader.start()
            for reader in readers:
                reader.join()
            raise ValueError("no such box")

    with pytest.raises(ValueError, match="no such box"):
        built()
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "box: build …"
    assert sorted(lines[1:-1]) == sorted([*(f"box: line {n}" for n in range(8)), *["box: second"] * 8])
    assert lines[-1].endswith(": no such box")
    assert (record.phases[0].reason, len(record.phases[0].lines)) == ("no such box", 16)


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0 ms"), (0.0404, "40 ms"), (0.12, "0.12 s"), (2.34, "2.3 s"), (9.96, "10 s"), (119.4, "119 s"), (250, "4 min 10 s")],
)
def test_durations_read_well(number: float, said: str) -> None:
    assert words.seconds(number) == said


def test_time_that_overlaps_is_counted_once() -> None:
    assert union([(0, 2), (1, 3), (5, 6), (5.5, 5.7)]) == 4
    assert union([]) == 0


def test_long_text_keeps_its_beginning_and_its_end() -> None:
    shown = words.clipped("a" * 1000 + "z" * 3000, 400)
    assert shown == "a" * 100 + "\n[… 3,600 of 4,000 characters left out …]\n" + "z" * 300
    assert words.clipped("short", 400) == "short"


def test_a_test_is_as_bad_as_its_worst_report() -> None:
    test = Test("x")
    for outcome in ("passed", "failed", "passed"):
        test.add(pytest.TestReport("x", ("x", 0, "x"), {}, outcome, "why it is so", "call"), outcome)
    assert (test.outcome, test.reason) == ("failed", "why it is so")
