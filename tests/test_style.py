"""The rules of the house, over every file of the tree."""

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("rig_plugin", "estimators", "simulators", "hardware")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
PYTHON = SOURCES + sorted((ROOT / "tests").rglob("*.py"))
TEXTS = PYTHON + [
    path
    for pattern in ("*.md", "*.cfg", "*.toml", "docs/**/*.md", "docs/**/*.toml", ".ci/run", "estimators/**/*.toml")
    for path in sorted(ROOT.glob(pattern))
]
LONGEST_FILE, LONGEST_FUNCTION = 400, 60
EMPTY_NAMES = {"util", "utils", "helper", "helpers", "manager", "managers", "common", "core", "misc", "base"}
# One vocabulary: simulators/__init__.py has the word to use instead.
SYNONYMS = {"helper", "util", "utils", "manager", "sampling_rate", "sample_rate", "fs", "waveform", "stim"}
PICKLES = {"pickle", "cPickle", "dill", "joblib", "cloudpickle", "shelve", "marshal"}
# What a copied path of somebody's own computer looks like.
HOME = re.compile(
    "|".join(
        [r"(?<![\w.<])/(home|root|Users)/[\w.]", r"[A-Z]:\\+Users", *(re.escape(f"{p}/") for p in (ROOT, Path.home()))]
    )
)


def relative(path):
    return str(path.relative_to(ROOT))


def each(paths):
    return pytest.mark.parametrize("path", paths, ids=relative)


def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def defined_names(tree):
    """Every name that a file gives to something: functions, classes, arguments, variables."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def comments(path):
    tokens = tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT]


def test_the_packages_are_found():
    assert {path.relative_to(ROOT).parts[0] for path in SOURCES} == set(PACKAGES)


@each(PYTHON)
def test_a_file_is_named_for_what_it_is(path):
    assert path.stem.removeprefix("test_") not in EMPTY_NAMES


@each(PYTHON)
def test_a_file_is_short_enough_to_hold_one_noun(path):
    assert path.read_text(encoding="utf-8").count("\n") <= LONGEST_FILE


@each(SOURCES)
def test_a_module_says_what_it_is(path):
    docstring = ast.get_docstring(parsed(path)) or ""
    assert docstring if path.name == "__init__.py" else docstring.startswith("This file is ")


@each([path for path in SOURCES if path.name != "__init__.py"])
def test_a_module_says_what_it_offers(path):
    assigned = [node.targets[0] for node in parsed(path).body if isinstance(node, ast.Assign)]
    assert "__all__" in [target.id for target in assigned if isinstance(target, ast.Name)]


@each(SOURCES)
def test_a_function_fits_a_screen(path):
    for function in functions(parsed(path)):
        has_docstring = ast.get_docstring(function) is not None
        body = function.body[1:] if has_docstring else function.body
        lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
        assert lines <= LONGEST_FUNCTION, f"{function.name} has {lines} lines"


@each(SOURCES)
def test_no_source_prints_asserts_or_swallows_everything(path):
    for node in ast.walk(parsed(path)):
        assert not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"), node.lineno
        assert not isinstance(node, ast.Assert), node.lineno
        assert not (isinstance(node, ast.ExceptHandler) and node.type is None), node.lineno


@each(SOURCES)
def test_no_source_pickles(path):
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            assert not PICKLES & {alias.name.split(".")[0] for alias in node.names}, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] not in PICKLES, node.lineno
        elif isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            assert isinstance(node.value, ast.Constant) and node.value.value is False, node.value.lineno


@each(PYTHON)
def test_nothing_is_left_for_later(path):
    for comment in comments(path):
        assert not re.search(r"\b(TODO|FIXME|XXX|HACK)\b", comment), comment


@each(SOURCES)
def test_one_word_means_one_thing(path):
    parts = {part for name in defined_names(parsed(path)) for part in (name.lower(), *name.lower().split("_"))}
    assert not parts & SYNONYMS


@each([path for path in TEXTS if path != Path(__file__).resolve()])
def test_no_path_of_anybodys_own_computer_is_kept(path):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        assert not HOME.search(line), f"line {number}: {line}"


@pytest.mark.parametrize("folder", sorted({path.parent for path in (ROOT / "tests").rglob("*/*.py")}), ids=relative)
def test_no_test_folder_is_a_package(folder):
    # They bear the packages' names: as packages they would be imported in their place.
    assert not (folder / "__init__.py").exists()
