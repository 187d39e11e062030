"""This file is the board of the tests: tasks, buffers and clocks as NI-DAQmx documents them, and a simulated cell.

Not a test of NI's driver: it holds what NI documents of buffers, states and reservations, so that the unmodified
client library meets on a real wire what it would meet in a lab, and every error that can be asked for.
"""

import threading
import time
from dataclasses import dataclass, field
from itertools import groupby

import nidaqmx._grpc_interpreter  # noqa: F401 - puts session_pb2 where it can be found
import numpy as np
from session_pb2 import Session

from simulators.stimulus import Epoch, Stimulus

CONTINUOUS = 10123
FIRST_SAMPLE, CURRENT_READ_POSITION = 10424, 10425
OVERWRITE, RELATIVE_TO, OFFSET = 0x1211, 0x190A, 0x190B
GENTLE = 10252  # OverwriteUnreadSamples
COMMIT, UNRESERVE = 3, 5
RULER = 2.0**-20
"""Volts a sample at terminal ai7, which tells the index of each sample."""


class Refused(Exception):
    """What the driver would return as a status."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


@dataclass
class Task:
    """A task as the driver keeps it."""

    name: str
    inputs: list = field(default_factory=list)
    output: str | None = None
    span: float = 10.0
    rate: float = 0.0
    source: str = ""
    count: int = 0
    continuous: bool = False
    samples: np.ndarray = field(default_factory=lambda: np.empty(0))
    buffer: int = 0
    read: dict = field(default_factory=lambda: {RELATIVE_TO: CURRENT_READ_POSITION, OFFSET: 0, OVERWRITE: 10159})
    offset: int = 0
    reserved: bool = False
    committed: bool = False
    began: float | None = None
    base: int = 0
    position: int = 0
    error: int = 0
    answer: np.ndarray | None = None
    timed: bool = False


def passive(stimulus, rate, rng):
    """A cell of 100 MOhm at -70 mV that follows at once."""
    return -70.0 + 0.1 * stimulus.command(rate)


class Board:
    """One board, Dev1, with an amplifier in current clamp: 400 pA/V, and 10 mV/mV; 2 V/nA at the monitor.

    ai0 is the cell, ai1 the current that is really injected, ai7 the index of the sample, all others are 1 V; once
    `turn` was called the amplifier is an Axopatch 200B, with the telegraphs of mode, gain and filter at ai4 to ai6.

    Args:
        cell: Answers a stimulus with millivolts.
        speed: How many times faster than real; infinite has everything at once.
    """

    def __init__(self, cell=passive, speed=1.0):
        self.cell, self.speed = cell, speed
        self.pA_per_V, self.mV_per_V, self.monitor_pA_per_V = 400.0, 100.0, 500.0
        self.terminals = {f"Dev1/{name}" for name in ("ao0", "ao1", *(f"ai{k}" for k in range(8)))}
        self.telegraphs = {}
        self.tasks, self.volts, self.puts = {}, {"Dev1/ao0": 5.0}, []
        self.started = []
        """When each timed output began, and how long its samples last [s]."""
        self.calls, self.resets = [], 0
        self.is_plugged, self.is_mute, self.is_hung = True, False, threading.Event()
        self.faults, self.later = {}, {}
        """{index of a sample: (code, index of the first that can be read again)}, now, and once one has come."""
        self.answered = {-200284}
        """Errors of a read that are told by a status, not by the end of the call."""
        self.leap = 0
        """Samples that the board suddenly has more, as after a computer that stood still."""
        self.change = threading.Condition(threading.RLock())
        self.names = 0
        self.rng = np.random.default_rng(0)

    # What a test may ask.

    @property
    def output(self):
        """Volts at ao0 now."""
        with self.change:
            for task in self.tasks.values():
                if task.output == "Dev1/ao0" and task.began is not None and task.timed:
                    return float(task.samples[max(0, self._ticks(task) - 1)])
            return self.volts["Dev1/ao0"]

    def turn(self, mode="current", gain=10.0):
        """Turn the switches of the Axopatch: what the telegraphs say, and what its inputs and outputs then do."""
        with self.change:
            at = {"voltage": 6.0, "zero": 3.0, "current": 2.0}[mode]
            gains = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0)
            self.telegraphs |= {"Dev1/ai4": at, "Dev1/ai5": 0.5 + 0.5 * gains.index(gain), "Dev1/ai6": 6.0}
            self.mV_per_V = 1000.0 / gain
            self.pA_per_V = {"voltage": 20.0, "zero": 0.0, "current": 2000.0}[mode]

    def wait_for(self, condition, timeout=20.0):
        """Wait until something holds."""
        end = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < end, "It never came to that."
            time.sleep(0.002)

    def acquired(self):
        """Samples that the running input has taken."""
        with self.change:
            running = [task for task in self.tasks.values() if task.inputs and task.began is not None]
            return self._taken(running[0]) if running else 0

    # Time.

    def _ticks(self, task):
        """Samples that an output has put out."""
        if task.began is None or not task.timed:
            return 0
        if np.isinf(self.speed):
            return task.count
        return min(task.count, 1 + int((time.monotonic() - task.began) * task.rate * self.speed))

    def _clock(self):
        """The buffered output, which clocks the inputs."""
        return next((t for t in self.tasks.values() if t.output and t.timed and t.began is not None), None)

    def _taken(self, task):
        if task.began is None or self.is_mute:
            return 0
        if task.source.endswith("ao/SampleClock"):
            clock = self._clock()
            most = task.count if not task.continuous else 2**62
            return min(most, (self._ticks(clock) if clock else 0) - task.base)
        if np.isinf(self.speed):
            return task.position + task.buffer // 2 if task.continuous else task.count
        came = self.leap + int((time.monotonic() - task.began) * task.rate * self.speed)
        return came if task.continuous else min(came, task.count)

    # The wire.

    def _task(self, request):
        if not self.is_plugged:
            raise Refused(-201003)
        if request.task.name not in self.tasks:
            raise Refused(-200088)
        return self.tasks[request.task.name]

    def _check_terminal(self, terminal):
        if not self.is_plugged:
            raise Refused(-201003)
        if not terminal.startswith("Dev1/"):
            raise Refused(-200220)
        if terminal not in self.terminals:
            raise Refused(-200170)

    def _reserve(self, task):
        for other in self.tasks.values():
            shared = (other.output == task.output and task.output) or (other.inputs and task.inputs)
            if other is not task and other.reserved and shared:
                raise Refused(-50103)
        task.reserved = True

    def do_create_task(self, request):
        self.names += 1
        name = request.session_name or f"_task{self.names}"
        self.tasks[name] = Task(name)
        return {"task": Session(name=name), "new_session_initialized": True}

    def do_get_task_attribute_string(self, request):
        return {"value": request.task.name}

    def do_create_ai_voltage_chan(self, request):
        self._check_terminal(request.physical_channel)
        self._task(request).inputs.append(request.physical_channel)
        return {}

    def do_create_ao_voltage_chan(self, request):
        self._check_terminal(request.physical_channel)
        task = self._task(request)
        task.output, task.span = request.physical_channel, request.max_val
        return {}

    def do_cfg_samp_clk_timing(self, request):
        task = self._task(request)
        if request.rate > 250_000:
            raise Refused(-200077)
        task.rate = 1e8 / round(1e8 / request.rate)
        task.source, task.count, task.timed = request.source, request.samps_per_chan, True
        task.continuous = request.sample_mode_raw == CONTINUOUS
        task.samples, task.buffer = np.zeros(task.count), task.count
        return {}

    def do_get_timing_attribute_double(self, request):
        return {"value": self._task(request).rate}

    def do_set_buffer_attribute_u_int32(self, request):
        self._task(request).buffer = request.value
        return {}

    def do_set_read_attribute_int32(self, request):
        task = self._task(request)
        if request.attribute_raw == OVERWRITE and task.began is not None:
            raise Refused(-200557)
        task.read[request.attribute_raw] = request.value_raw
        return {}

    def do_set_write_attribute_int32(self, request):
        if request.attribute_raw == 0x190D:
            self._task(request).offset = request.value_raw
        return {}

    def do_get_read_attribute_u_int64(self, request):
        return {"value": self._taken(self._task(request))}

    def do_task_control(self, request):
        task = self._task(request)
        if request.action_raw == COMMIT:
            self._reserve(task)
            task.committed = True
        elif request.action_raw == UNRESERVE:
            task.reserved = task.committed = False
        return {}

    def do_write_analog_f64(self, request):
        task = self._task(request)
        data = np.array(request.write_array)
        if np.abs(data).max() > task.span:
            raise Refused(-200561)
        self._reserve(task)
        if not task.timed:
            self._put(task, data[-1])
        else:
            task.samples[task.offset : task.offset + data.size] = data
        return {"samps_per_chan_written": data.size}

    def do_write_analog_scalar_f64(self, request):
        task = self._task(request)
        if abs(request.value) > task.span:
            raise Refused(-200561)
        self._reserve(task)
        self._put(task, request.value)
        return {}

    def _put(self, task, value):
        """Put out one value, after which the task gives the channel back."""
        self.volts[task.output] = float(value)
        self.puts.append(float(value))
        task.reserved = task.committed

    def do_start_task(self, request):
        task = self._task(request)
        self._reserve(task)
        task.began, task.position, task.error = time.monotonic(), 0, 0
        clock = self._clock()
        if task.inputs:
            task.base = self._ticks(clock) if clock is not None else 0
        else:
            self.started.append((task.began, (task.count - 1) / task.rate))
            self.puts += [float(volts) for volts, _ in groupby(task.samples)]
            task.answer = self._answer(task.samples, task.rate / 1e3)
        return {}

    def do_stop_task(self, request):
        self._stop(self._task(request))
        return {}

    def _stop(self, task):
        if task.began is not None and task.output and task.timed:
            self.volts[task.output] = float(task.samples[max(0, self._ticks(task) - 1)])
        task.began = None
        if not task.committed:
            task.reserved = False

    def do_clear_task(self, request):
        if self.is_plugged and request.task.name in self.tasks:
            self._stop(self.tasks.pop(request.task.name))
        return {}

    def do_is_task_done(self, request):
        task = self._task(request)
        return {"is_task_done": self._ticks(task) >= task.count}

    def do_wait_until_task_done(self, request):
        task = self._task(request)
        end = time.monotonic() + request.time_to_wait
        while self._ticks(task) < task.count:
            if time.monotonic() > end:
                raise Refused(-200560)
            self.change.wait(0.001)
        return {}

    def do_reset_device(self, request):
        self._check_terminal(f"{request.device_name}/ao0")
        self.resets += 1
        for task in self.tasks.values():
            task.committed = task.reserved = False
            self._stop(task)
            task.error = -88710
        return {}

    def do_read_analog_f64(self, request):
        task, count = self._task(request), request.num_samps_per_chan
        absolute = task.read[RELATIVE_TO] == FIRST_SAMPLE
        first = (0 if absolute else task.position) + task.read[OFFSET]
        end = time.monotonic() + request.timeout
        while True:
            self._task(request)
            self._fail(task, first, count)
            if task.began is None:
                raise Refused(-200278)
            have = self._taken(task) - first
            if have >= count:
                break
            left = end - time.monotonic()
            if left <= 0:
                raise Refused(-200284)
            rate = task.rate * self.speed
            self.change.wait(min(left, max(0.0005, (count - have) / rate if rate else 0.01)))
        task.position = first + count
        return {"read_array": self._read(task, first, count), "samps_per_chan_read": count}

    def _fail(self, task, first, count):
        if task.error:
            raise Refused(task.error)
        for at, (code, until) in list(self.faults.items()):
            if first < until and first + count > at and self._taken(task) > at:
                if code == -200279:
                    raise Refused(code)
                del self.faults[at]
                self.faults, self.later = self.faults | self.later, {}
                task.error = code
                raise Refused(code)
        if self._taken(task) - first > task.buffer and task.read[OVERWRITE] == GENTLE:
            raise Refused(-200279)

    # The amplifier and the cell.

    def _answer(self, samples, rate):
        runs = [(volts * self.pA_per_V, len(list(same))) for volts, same in groupby(samples)]
        if len(runs) == 1:
            runs = [(runs[0][0], runs[0][1] // 2), (runs[0][0], runs[0][1] - runs[0][1] // 2)]
        stimulus = Stimulus("current", tuple(Epoch(round(level, 9), size / rate) for level, size in runs))
        return np.asarray(self.cell(stimulus, rate, self.rng))

    def _read(self, task, first, count):
        clock, index = self._clock(), task.base + np.arange(first, first + count)
        traces = []
        for terminal in task.inputs:
            swept = clock is not None and task.source.endswith("ao/SampleClock")
            held = self.volts["Dev1/ao0"] * self.pA_per_V
            if terminal in self.telegraphs:
                traces.append(self.telegraphs[terminal] + self.rng.normal(0.0, 0.01, count))
            elif terminal.endswith("ai0"):
                mV = clock.answer[index] if swept else np.full(count, -70.0 + 0.1 * held)
                traces.append(mV / self.mV_per_V)
            elif terminal.endswith("ai1"):
                pA = clock.samples[index] * self.pA_per_V if swept else np.full(count, held)
                traces.append(pA / self.monitor_pA_per_V)
            else:
                traces.append(index * RULER if terminal.endswith("ai7") else np.ones(count))
        return np.concatenate(traces)
