"""This file is the NI-DAQmx server of the tests: the RPCs that a rig needs, with the board of the tests behind them."""

import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import nidaqmx._grpc_interpreter  # noqa: F401 - puts session_pb2 where it can be found
from nidaq_board import Board, Refused
from nidaqmx._stubs import nidaqmx_pb2 as pb
from nidaqmx._stubs import nidaqmx_pb2_grpc as rpc


def _served(name):
    """Make one RPC of a method above: the name without underscores is the RPC's."""
    method, kind = getattr(Board, name), name.removeprefix("do_").replace("_", "")
    called = next(each for each in dir(rpc.NiDAQmxServicer) if each.lower() == kind)
    answer = getattr(pb, f"{called}Response")

    def serve(self, request, context):
        self.calls.append(called)
        end = time.monotonic() + 20.0
        while self.is_hung.is_set() and context.is_active() and time.monotonic() < end:
            time.sleep(0.005)
        with self.change:
            try:
                return answer(**method(self, request))
            except Refused as refused:
                # NI's server answers with the one, and ends the call with the number beside it for the other.
                if refused.code in self.answered and called == "ReadAnalogF64":
                    return answer(status=refused.code)
                context.set_trailing_metadata((("ni-error", str(refused.code)),))
                context.abort(grpc.StatusCode.UNKNOWN, f"Error {refused.code} of the simulated board.\nMore of it.")

    return called, serve


class NidaqServer(Board, rpc.NiDAQmxServicer):
    """The servicer on a loopback port: `with NidaqServer() as server: ... server.address`."""

    def __enter__(self):
        self._pool = ThreadPoolExecutor(8)
        self._server = grpc.server(self._pool)
        rpc.add_NiDAQmxServicer_to_server(self, self._server)
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()
        return self

    def GetSystemInfoAttributeUInt32(self, request, context):
        return pb.GetSystemInfoAttributeUInt32Response(value=24)

    def GetErrorString(self, request, context):
        return pb.GetErrorStringResponse(error_string=f"Error {request.error_code} of the simulated board.")

    def die(self):
        """End at once, as a computer that is switched off."""
        self._server.stop(None).wait()

    def __exit__(self, *_):
        self.is_hung.clear()
        self.die()
        self._pool.shutdown()


for _name in [name for name in dir(Board) if name.startswith("do_")]:
    setattr(NidaqServer, *_served(_name))
