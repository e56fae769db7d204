#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server whose answers carry a MAC of a key of its own, whatever key it was asked with.

All else of an answer is right: its origin, its time, the number of the key. With the asker's own key it is a good
server, with another it is somebody who does not know the key. It says on its output that it has answered.
Usage: keyed_server.py ADDRESS SHA1-KEY
"""
import hashlib
import struct
import sys
import time

sys.dont_write_bytecode = True  # nothing is left among the sources
from ntp_socket import CLIENT, SERVER, serve, stamp  # noqa: E402

SIZE_WITH_MAC = 48 + 4 + 20
key = sys.argv[2].encode()


def answer(request, came):
    if len(request) != SIZE_WITH_MAC or request[0] & 7 != CLIENT:
        return None
    received = stamp(came)
    head = struct.pack('!BBBbII4s', request[0] & 0x38 | SERVER, 2, request[2], -20, 0, 16, b'\x0a\x00\x00\x63')
    head += received + request[40:48] + received + stamp(time.time_ns())
    print('answered', flush=True)
    return head + request[48:52] + hashlib.sha1(key + head).digest()


serve(sys.argv[1], answer)
