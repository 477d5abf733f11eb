"""The mutation gate's table fits the launcher and the tests as they stand, and the gate's verdicts can be relied on."""

import ast
from collections import Counter

import pytest

from tests.mutation.gate import Gate
from tests.mutation.mutants import CHECKOUT, Edit, Mutant, OutdatedError, sources
from tests.mutation.table import MUTANTS

pytest_plugins = ["pytester"]
SOURCES = sources()
INTEGRATION = CHECKOUT / "tests" / "integration"
BY_NAME = pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)


@BY_NAME
def test_it_fits_the_source_and_compiles(mutant: Mutant) -> None:
    for file, source in mutant.apply(SOURCES).items():
        assert source != SOURCES[file]
        compile(source, file, "exec")


@BY_NAME
def test_it_is_told_in_a_sentence_and_names_tests_that_are_there(mutant: Mutant) -> None:
    assert " " in mutant.broken
    assert mutant.broken.endswith(".")
    assert mutant.tests
    for test in mutant.tests:
        file, _, name = test.partition("::")
        tree = ast.parse((INTEGRATION / file).read_text(encoding="utf-8"))
        assert name.partition("[")[0] in [node.name for node in tree.body if isinstance(node, ast.FunctionDef)], test


def test_each_has_a_name_of_its_own() -> None:
    assert [name for name, count in Counter(mutant.name for mutant in MUTANTS).items() if count > 1] == []


def test_a_replacement_that_no_longer_fits_is_refused() -> None:
    outdated = Mutant("outdated", "It is.", (Edit("bin/contain", "no such text", ""),), ("test_x.py::test_y",))
    with pytest.raises(OutdatedError, match="bin/contain: 0 times"):
        Gate([outdated], 1.0)
    with pytest.raises(OutdatedError, match="times, and not once"):
        Edit("bin/contain", "i", "").apply(SOURCES["bin/contain"])
    with pytest.raises(OutdatedError, match="is not there"):
        Mutant("gone", "It is.", (Edit("contain/gone.py", "a", "b"),), ()).apply(SOURCES)


SUITE = """
import pytest

def pytest_generate_tests(metafunc):
    metafunc.parametrize("host", ["here"], indirect=True, scope="session")

@pytest.fixture(scope="session")
def host(request):
    return request.param

@pytest.fixture(scope="session", autouse=True)
def launcher(request, host):
    return request.param.name if request.param else "sound"

@pytest.fixture
def tidy(launcher):
    yield
    assert launcher != "leaks"

@pytest.fixture
def begun(launcher):
    assert launcher != "wreck"
"""
TESTS = """
def test_promise(launcher, tidy, begun):
    assert launcher != "faulty"
    if launcher == "harness":
        raise RuntimeError("not a judgement")
"""


def gate_over(pytester: pytest.Pytester, test: str, *names: str) -> pytest.RunResult:
    """A session of the gate over a little suite, with launchers of these names."""
    pytester.makeconftest(SUITE)
    pytester.makepyfile(test_small=test)
    gate = Gate([Mutant(name, "It is.", (), ("test_small.py::test_promise",)) for name in names], 1.0)
    return pytester.runpytest_inprocess(plugins=[gate])


def test_red_is_an_assertion_in_the_test_or_after_it(pytester: pytest.Pytester) -> None:
    ran = gate_over(pytester, TESTS, "faulty", "leaks")
    assert ran.ret == 0
    assert ran.parseoutcomes() == {"passed": 1, "red": 2}
    ran.stdout.fnmatch_lines(["here  faulty *red*", "here  leaks *red*", "2 of 2 broken launchers were noticed"])


@pytest.mark.parametrize("name", ["harness", "wreck"])
def test_what_is_no_judgement_proves_nothing(pytester: pytest.Pytester, name: str) -> None:
    ran = gate_over(pytester, TESTS, "faulty", name)
    assert ran.ret == 1
    ran.stdout.fnmatch_lines([f"here  {name} *error*", "1 of 2 broken launchers were noticed"])


def test_a_survivor_fails_the_gate(pytester: pytest.Pytester) -> None:
    ran = gate_over(pytester, TESTS, "harmless", "faulty")
    assert ran.ret == 1
    assert ran.parseoutcomes() == {"passed": 1, "red": 1, "survived": 1}
    ran.stdout.fnmatch_lines(["here  harmless *SURVIVED*", "1 of 2 broken launchers were noticed"])


def test_where_the_sound_launcher_fails_no_other_is_tried(pytester: pytest.Pytester) -> None:
    ran = gate_over(pytester, "def test_promise(launcher): assert launcher == 'faulty'", "faulty")
    assert ran.ret == 1
    ran.stdout.fnmatch_lines(["*the tests fail with the sound launcher*"])
    assert ran.parseoutcomes() == {"failed": 1}


def test_a_test_that_is_not_there_is_a_mistake(pytester: pytest.Pytester) -> None:
    ran = gate_over(pytester, "def test_other(launcher): pass", "faulty")
    assert ran.ret == pytest.ExitCode.USAGE_ERROR
    ran.stderr.fnmatch_lines(["*test_small.py::test_promise*"])
