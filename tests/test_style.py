"""The rules of the house, over every file of the tree."""

import ast
import io
import re
import tokenize
from functools import cache
from pathlib import Path

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


# A rule is one test over all files: read once, they are held against all rules in two seconds.
@cache
def text(path):
    return path.read_text(encoding="utf-8")


@cache
def nodes(path):
    return list(ast.walk(ast.parse(text(path))))


def parsed(path):
    return nodes(path)[0]


def breaking(paths, found):
    """What in each file breaks a rule: {file: [what]}, without those in which nothing does."""
    told = {relative(path): list(found(path)) for path in paths}
    return {path: what for path, what in told.items() if what}


def functions(path):
    return [node for node in nodes(path) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def defined_names(path):
    """Every name that a file gives to something: functions, classes, arguments, variables."""
    for node in nodes(path):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def comments(path):
    tokens = tokenize.generate_tokens(io.StringIO(text(path)).readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT]


def lines_of(function):
    """How many lines the body of a function has, without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def careless(node):
    """Whether it prints, asserts or swallows everything."""
    return (
        (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print")
        or isinstance(node, ast.Assert)
        or (isinstance(node, ast.ExceptHandler) and node.type is None)
    )


def pickles(node):
    """Whether it imports what pickles, or allows it."""
    if isinstance(node, ast.Import):
        return bool(PICKLES & {alias.name.split(".")[0] for alias in node.names})
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").split(".")[0] in PICKLES
    is_asked = isinstance(node, ast.keyword) and node.arg == "allow_pickle"
    return is_asked and not (isinstance(node.value, ast.Constant) and node.value.value is False)


def line_of(node):
    return node.value.lineno if isinstance(node, ast.keyword) else node.lineno


def test_the_packages_are_found():
    assert {path.relative_to(ROOT).parts[0] for path in SOURCES} == set(PACKAGES)


def test_a_file_is_named_for_what_it_is():
    assert breaking(PYTHON, lambda path: {path.stem.removeprefix("test_")} & EMPTY_NAMES) == {}


def test_a_file_is_short_enough_to_hold_one_noun():
    assert breaking(PYTHON, lambda path: {text(path).count("\n")} - set(range(LONGEST_FILE + 1))) == {}


def test_a_module_says_what_it_is():
    def silent(path):
        docstring = ast.get_docstring(parsed(path)) or ""
        says = docstring if path.name == "__init__.py" else docstring.startswith("This file is ")
        return [] if says else [docstring]

    assert breaking(SOURCES, silent) == {}


def test_a_module_says_what_it_offers():
    def silent(path):
        assigned = [node.targets[0] for node in parsed(path).body if isinstance(node, ast.Assign)]
        names = [target.id for target in assigned if isinstance(target, ast.Name)]
        return [] if "__all__" in names else ["no __all__"]

    assert breaking([path for path in SOURCES if path.name != "__init__.py"], silent) == {}


def test_a_function_fits_a_screen():
    def long(path):
        return [(one.name, lines_of(one)) for one in functions(path) if lines_of(one) > LONGEST_FUNCTION]

    assert breaking(SOURCES, long) == {}


def test_no_source_prints_asserts_or_swallows_everything():
    assert breaking(SOURCES, lambda path: [line_of(node) for node in nodes(path) if careless(node)]) == {}


def test_no_source_pickles():
    assert breaking(SOURCES, lambda path: [line_of(node) for node in nodes(path) if pickles(node)]) == {}


def test_nothing_is_left_for_later():
    left = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    assert breaking(PYTHON, lambda path: [comment for comment in comments(path) if left.search(comment)]) == {}


def test_one_word_means_one_thing():
    def strange(path):
        return {part for name in defined_names(path) for part in (name.lower(), *name.lower().split("_"))} & SYNONYMS

    assert breaking(SOURCES, strange) == {}


def test_no_path_of_anybodys_own_computer_is_kept():
    def own(path):
        return [number for number, line in enumerate(text(path).splitlines(), 1) if HOME.search(line)]

    assert breaking([path for path in TEXTS if path != Path(__file__).resolve()], own) == {}


def test_no_test_folder_is_a_package():
    # They bear the packages' names: as packages they would be imported in their place.
    folders = {path.parent for path in (ROOT / "tests").rglob("*/*.py")}
    assert [folder for folder in folders if (folder / "__init__.py").exists()] == []
