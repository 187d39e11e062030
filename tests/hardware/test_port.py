"""A serial port opened for us alone, and what is said where it can't be."""

import errno
import os
import pty
import time

import pytest
import serial

from hardware.port import Port, PortError, PortLost


@pytest.fixture
def wire():
    """Two ends of a pseudo-terminal: the device's, and the name of ours."""
    near, far = pty.openpty()
    yield near, os.ttyname(far)
    os.close(far)
    try:
        os.close(near)
    except OSError as error:
        assert error.errno == errno.EBADF  # a test has unplugged it


def until(holds, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def opened(name):
    port = Port(name)
    port.open()
    return port


def test_what_is_written_arrives_and_what_comes_is_read_at_once(wire):
    near, name = wire
    port = opened(name)
    port.open()
    port.write(b"a question\0")
    assert os.read(near, 100) == b"a question\0"
    for use in (lambda: port.read(5.0), port.forget):
        os.write(near, b"an\0answer\xff")
        until(lambda: port._serial.in_waiting == 10)
        assert use() in (b"an\0answer\xff", None)
        assert port.read(0.0) == b""
    port.close()
    port.close()


def test_a_port_in_use_is_refused_until_it_is_closed(wire):
    _, name = wire
    first = opened(name)
    with pytest.raises(PortError, match="in use by another program: close that one"):
        Port(name).open()
    first.close()
    opened(name).close()


def test_a_port_that_is_not_there_is_refused_with_those_that_are(monkeypatch):
    class Found:
        device = "/dev/ttyACM7"

    monkeypatch.setattr("hardware.port.list_ports.comports", lambda: [Found()])
    with pytest.raises(PortError, match=r"There is no port /nowhere/ttyACM9: plug .* there are: /dev/ttyACM7\."):
        Port("/nowhere/ttyACM9").open()


def test_a_file_is_no_port(tmp_path):
    path = tmp_path / "ttyACM0"
    path.touch()
    with pytest.raises(PortError, match="can't be opened as a serial port at 115,200 baud"):
        Port(str(path)).open()


# As Windows has it, which gives no number.
WINDOWS = "could not open port 'COM3': {}(2, 'as it calls it', None, 5)"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (serial.SerialException(errno.EACCES, "could not open port: permission denied"), "usermod -aG dialout"),
        (serial.SerialException(WINDOWS.format("PermissionError")), "in use"),
        (serial.SerialException(WINDOWS.format("FileNotFoundError")), "is no port"),
        (ValueError("Invalid baud rate: 7"), "does not know 115,200 baud: choose a rate"),
    ],
)
def test_a_port_that_can_t_be_opened_says_what_helps(error, said, monkeypatch):
    def open_(port):
        raise error

    monkeypatch.setattr(serial.Serial, "open", open_)
    port = Port("COM3")
    for _ in range(2):
        with pytest.raises(PortError, match=said):
            port.open()


def test_a_closed_port_says_so():
    for use in (lambda port: port.read(0.0), lambda port: port.write(b"x"), Port.forget):
        with pytest.raises(PortError, match="COM3 is closed: open it first"):
            use(Port("COM3"))


def test_a_device_that_takes_nothing_is_told_from_one_that_is_gone(wire):
    near, name = wire
    port = opened(name)
    with pytest.raises(PortError, match="takes nothing any more") as caught:
        port.write(bytes(1 << 20))
    assert not isinstance(caught.value, PortLost)
    os.close(near)
    for use in (lambda: port.read(5.0), lambda: port.write(b"x"), port.forget):
        with pytest.raises(PortLost, match=r"is gone .* plug it in and open it again"):
            use()
    port.close()
