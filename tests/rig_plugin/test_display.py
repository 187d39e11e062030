import pytest

from rig_plugin.display import DisplayError, check_display


def loads_all(library: str) -> object:
    return library


def without(*missing: str):
    def load(library: str) -> object:
        if library in missing:
            raise OSError(f"{library}: cannot open shared object file")
        return library

    return load


def test_no_display_names_the_headless_commands_in_one_sentence():
    with pytest.raises(DisplayError) as caught:
        check_display({}, "linux", loads_all)
    message = str(caught.value)
    assert "rig-plugin run --json" in message and "rig-plugin replay FILE --json" in message
    assert message.endswith(".") and ". " not in message


def test_missing_libraries_are_named_as_packages():
    load = without("libxcb-icccm.so.4", "libxcb-xinerama.so.0")
    with pytest.raises(DisplayError, match="apt-get install libxcb-icccm4 libxcb-xinerama0`"):
        check_display({"DISPLAY": ":0"}, "linux", load)


def test_a_package_is_named_once():
    load = without("libglib-2.0.so.0", "libgthread-2.0.so.0")
    with pytest.raises(DisplayError, match=r"install libglib2\.0-0`"):
        check_display({"QT_QPA_PLATFORM": "offscreen"}, "linux", load)


@pytest.mark.parametrize("environment", [{"QT_QPA_PLATFORM": "offscreen"}, {"WAYLAND_DISPLAY": "wayland-0"}])
def test_xcb_is_not_asked_for_where_it_is_not_used(environment):
    check_display(environment, "linux", without("libxcb-icccm.so.4"))


def test_qt6_asks_for_its_own_libraries():
    with pytest.raises(DisplayError, match="libxcb-cursor0"):
        check_display({"DISPLAY": ":0", "PYQTGRAPH_QT_LIB": "PySide6"}, "linux", without("libxcb-cursor.so.0"))


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_other_systems_are_left_alone(platform):
    check_display({}, platform, without("libGL.so.1"))


def test_all_there_is_no_error():
    check_display({"DISPLAY": ":0"}, "linux", loads_all)


def test_an_x_server_that_does_not_answer_is_named():
    ctypes = pytest.importorskip("ctypes")
    try:
        ctypes.CDLL("libxcb.so.1")
    except OSError:
        pytest.skip("libxcb is not installed here, so no connection can be tried.")

    def load(library: str) -> object:
        return ctypes.CDLL(library) if library == "libxcb.so.1" else library

    with pytest.raises(DisplayError, match="DISPLAY=:4242 does not answer"):
        check_display({"DISPLAY": ":4242"}, "linux", load)
