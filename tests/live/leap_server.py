#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A primary server whose UTC has a leap second, which no daemon can be made to have but on a real one's day.

Its time is the machine's clock plus SHIFT seconds; it announces the leap second at MIDNIGHT (Unix seconds of its own
time) and has it. Answers whoever asks port 123 of ADDRESS, and sets nothing.
Usage: leap_server.py ADDRESS SHIFT MIDNIGHT insert|delete
"""
import socket
import struct
import sys
import time

NS = 10**9
UNIX_EPOCH_S = 2208988800  # since 1900
CLIENT, SERVER = 3, 4
SO_TIMESTAMPNS = 35  # of Linux; Python has no name for it

address, shift_s, midnight_s, kind = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
INDICATOR, STEP_S, BEGIN_S = (1, -1, midnight_s) if kind == 'insert' else (2, 1, midnight_s - 1)


def reading(machine):
    """Its UTC in nanoseconds, and the leap indicator, when the machine's clock reads so."""
    now = machine + shift_s * NS
    return (now + STEP_S * NS, 0) if now >= BEGIN_S * NS else (now, INDICATOR)


def stamp(now):
    return struct.pack('!II', (now // NS + UNIX_EPOCH_S) % 2**32, (now % NS << 32) // NS)


def arrived(messages):
    """When a datagram came, as the kernel stamped it: a busy machine may have let this program wait."""
    for level, kind, data in messages:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
            second, rest = struct.unpack('qq', data[:16])
            return second * NS + rest
    return time.time_ns()


service = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
service.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
service.bind((address, 123))
while True:
    request, arrival, _, client = service.recvmsg(512, 64)
    received, leap = reading(arrived(arrival))
    if len(request) >= 48 and request[0] & 7 == CLIENT:
        head = struct.pack('!BBBbII4s', leap << 6 | request[0] & 0x38 | SERVER, 1, request[2], -20, 0, 16, b'GPS')
        head += stamp(received) + request[40:48] + stamp(received)
        service.sendto(head + stamp(reading(time.time_ns())[0]), client)
