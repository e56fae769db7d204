#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server whose answers carry a MAC of a key of its own, whatever key it was asked with.

All else of an answer is right: its origin, its time, the number of the key. With the asker's own key it is a good
server, with another it is somebody who does not know the key. It says on its output that it has answered.
Usage: keyed_server.py ADDRESS SHA1-KEY
"""
import hashlib
import socket
import struct
import sys
import time

UNIX_EPOCH_S = 2208988800  # since 1900
CLIENT, SERVER = 3, 4
SO_TIMESTAMPNS = 35  # of Linux; Python has no name for it
SIZE, SIZE_WITH_MAC = 48, 48 + 4 + 20

address, key = sys.argv[1], sys.argv[2].encode()


def stamp(now):
    second, rest = divmod(now, 10**9)
    return struct.pack('!II', (second + UNIX_EPOCH_S) % 2**32, (rest << 32) // 10**9)


def arrived(messages):
    """When a datagram came, as the kernel stamped it: a busy machine may have let this program wait."""
    for level, kind, data in messages:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
            second, rest = struct.unpack('qq', data[:16])
            return second * 10**9 + rest
    return time.time_ns()


service = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
service.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
service.bind((address, 123))
while True:
    request, arrival, _, client = service.recvmsg(512, 64)
    received = stamp(arrived(arrival))
    if len(request) == SIZE_WITH_MAC and request[0] & 7 == CLIENT:
        answer = struct.pack('!BBBbII4s', request[0] & 0x38 | SERVER, 2, request[2], -20, 0, 16, b'\x0a\x00\x00\x63')
        answer += received + request[40:48] + received + stamp(time.time_ns())
        service.sendto(answer + request[48:52] + hashlib.sha1(key + answer).digest(), client)
        print('answered', flush=True)
