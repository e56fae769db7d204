#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A primary server whose UTC has a leap second, which no daemon can be made to have but on a real one's day.

Its time is the machine's clock plus SHIFT seconds; it announces the leap second at MIDNIGHT (Unix seconds of its own
time) and has it. Answers whoever asks port 123 of ADDRESS, and sets nothing.
Usage: leap_server.py ADDRESS SHIFT MIDNIGHT insert|delete
"""
import struct
import sys
import time

sys.dont_write_bytecode = True  # nothing is left among the sources
from ntp_socket import CLIENT, NS, SERVER, serve, stamp  # noqa: E402

shift_s, midnight_s, kind = int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
INDICATOR, STEP_S, BEGIN_S = (1, -1, midnight_s) if kind == 'insert' else (2, 1, midnight_s - 1)


def reading(machine):
    """Its UTC in nanoseconds, and the leap indicator, when the machine's clock reads so."""
    now = machine + shift_s * NS
    return (now + STEP_S * NS, 0) if now >= BEGIN_S * NS else (now, INDICATOR)


def answer(request, came):
    if len(request) < 48 or request[0] & 7 != CLIENT:
        return None
    received, leap = reading(came)
    head = struct.pack('!BBBbII4s', leap << 6 | request[0] & 0x38 | SERVER, 1, request[2], -20, 0, 16, b'GPS')
    head += stamp(received) + request[40:48] + stamp(received)
    return head + stamp(reading(time.time_ns())[0])


serve(sys.argv[1], answer)
