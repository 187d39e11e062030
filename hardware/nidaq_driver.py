"""This file is the driver: NI-DAQmx on this computer, or behind an NI gRPC Device Server, loaded when it is opened."""

from __future__ import annotations

import warnings
from typing import Any

from hardware.nidaq_refusal import told

__all__ = ["NidaqDriver"]

_ANSWER = 10.0
"""Longest wait for a server's answer; opening a board may take seconds [s]."""
_READING = 3.0
"""The same for samples, of which every wait is shorter [s]."""
_STOPPED_EARLY = 200010
_OPTIONS = (
    # A stimulus of a minute is larger than what gRPC takes by default.
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    # A board stands in the lab: a proxy for the web is not on the way to it.
    ("grpc.enable_http_proxy", 0),
)


class NidaqDriver:
    """The one place that loads nidaqmx, so that the program starts without it.

    Args:
        device: Name of the board.
        server: Address of its server, "host:port", or None.
    """

    def __init__(self, device: str, server: str | None = None) -> None:
        self.device, self.server = device, server
        self._channel: Any = None
        self._library: Any = None

    def open(self) -> None:
        """Load the library and, where there is a server, prepare the way to it; asks nothing of the board yet.

        Raises:
            NidaqError: If the library is not installed.
        """
        with told(self.device, self.server):
            import nidaqmx
            from nidaqmx.errors import DaqWarning

            # The driver warns of each stimulus that is stopped before its end, which is what was asked of it.
            warnings.filterwarnings("ignore", rf"\s*Warning {_STOPPED_EARLY} ", DaqWarning)
            self._library = nidaqmx
            if self.server is not None:
                self._channel = _channel(self.server)

    def close(self) -> None:
        """Let go of the server; a second time does nothing."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    @property
    def constants(self) -> Any:  # noqa: ANN401 - the library has no types
        """The library's own words."""
        return self._library.constants

    def task(self) -> Any:  # noqa: ANN401 - as above
        """Make a task.

        Returns:
            A `nidaqmx.Task`.

        Raises:
            NidaqError: If the driver is not there or the server does not answer.
        """
        with told(self.device, self.server):
            return self._library.Task(**self._options())

    def reset(self) -> None:
        """Stop whatever runs on the board, whoever began it.

        Raises:
            NidaqError: If the board can't be told.
        """
        with told(self.device, self.server):
            self._library.system.Device(self.device, **self._options()).reset_device()

    def _options(self) -> dict[str, Any]:
        if self._channel is None:
            return {}
        return {"grpc_options": self._library.GrpcSessionOptions(self._channel, "")}


def _channel(server: str) -> Any:  # noqa: ANN401 - gRPC has no types
    """Make a channel on which no call waits for ever: the library itself sets no deadline."""
    import grpc

    class Deadline(grpc.UnaryUnaryClientInterceptor):  # type: ignore[misc]
        """Gives each call as long as it may take."""

        def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:  # noqa: ANN401
            wait = _READING if client_call_details.method.endswith("/ReadAnalogF64") else _ANSWER
            return continuation(client_call_details._replace(timeout=wait), request)

    return grpc.intercept_channel(grpc.insecure_channel(server, options=_OPTIONS), Deadline())
