# SPDX-License-Identifier: GPL-3.0-or-later
"""What the NTP servers of these tests share: a socket at port 123 that tells when a request came, and stamps.

Times are integers, nanoseconds since 1970.
"""
import socket
import struct
import time

NS = 10**9
UNIX_EPOCH_S = 2208988800  # since 1900
CLIENT, SERVER = 3, 4
SO_TIMESTAMPNS = 35  # of Linux; Python has no name for it


def stamp(now):
    """A timestamp as it stands in a packet."""
    second, rest = divmod(now, NS)
    return struct.pack('!II', (second + UNIX_EPOCH_S) % 2**32, (rest << 32) // NS)


def arrived(messages):
    """When a datagram came, as the kernel stamped it: a busy machine may have let this program wait."""
    for level, kind, data in messages:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
            second, rest = struct.unpack('qq', data[:16])
            return second * NS + rest
    return time.time_ns()


def serve(address, answer):
    """Sends what answer(request, when it came) gives for each request to whoever asks; None is nothing."""
    service = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    service.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    service.bind((address, 123))
    while True:
        request, messages, _, client = service.recvmsg(512, 64)
        reply = answer(request, arrived(messages))
        if reply is not None:
            service.sendto(reply, client)
