#!/usr/bin/python3
# The health check of the tests' own image, which has a server and no client programs: does it take a TLS request?
import socket
import struct
import sys

try:
    with socket.create_connection(("127.0.0.1", 5432), timeout=2) as connection:
        connection.sendall(struct.pack("!ii", 8, 80877103))
        sys.exit(0 if connection.recv(1) in (b"N", b"S") else 1)
except OSError:
    sys.exit(2)
