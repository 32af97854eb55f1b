"""A serial line that carries frames of MessagePack. Needs the package pyserial."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from burstchip.remote.carriers.carrier import Descriptors
from burstchip.remote.failures import Gone
from burstchip.remote.framing import decoder
from burstchip.remote.messages import MOST_FRAME
from hw_models.diagnostics import BurstchipError, Diagnostic, register_codes

register_codes({"BC889": "a package that is missing for a serial line"})


class SerialLine(Descriptors):
    """A carrier over an open serial port, of which it takes possession."""

    def __init__(self, port: Any, *, requests: bool, most: int = MOST_FRAME) -> None:
        self._port = port
        number = int(port.fileno())
        super().__init__(number, number, decoder(lines=False, requests=requests, most=most), lines=False)

    def close(self) -> None:
        """Close the port."""
        self._port.close()


def opened(device: str, baud: int, *, requests: bool = False) -> SerialLine:
    """The serial line of a device. Raises `BurstchipError` BC889 without pyserial, `Gone`."""
    if find_spec("serial") is None:
        raise BurstchipError(
            Diagnostic(
                "BC889",
                "a serial line needs the package pyserial",
                required="pyserial",
                given="not installed",
                hint="python -m pip install 'burstchip[serial]'",
            )
        )
    import serial

    try:
        # What a target or host sent before this one came is not for it.
        port = serial.Serial(device, baud, timeout=0, write_timeout=0, exclusive=True)
        port.reset_input_buffer()
    except (OSError, ValueError) as reason:
        raise Gone(str(reason)) from None
    return SerialLine(port, requests=requests)
