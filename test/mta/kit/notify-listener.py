"""Stands in for systemd at the other end of NOTIFY_SOCKET: prints each message as a line of JSON.

Called with words after the path it starts these as a program, which finds a connection to the socket at descriptor 3,
named "notify", as OpenFile= of systemd 253 would leave it.
"""

import array
import json
import os
import socket
import sys

path, *words = sys.argv[1:]
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(path)
os.chmod(path, 0o666)
child = os.fork() if words else -1
if child == 0:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    connection.connect(path)
    os.dup2(connection.fileno(), 3)
    os.set_inheritable(3, True)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="notify")
    os.execvp(words[0], words)
print(json.dumps(["listening", str(child)]), flush=True)
while True:
    data, ancillary, _, _ = listener.recvmsg(65536, 1024)
    # BARRIER=1 comes with a descriptor; its sender waits until that is closed.
    for level, kind, value in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            for fd in array.array("i", value[: len(value) - len(value) % 4]):
                os.close(fd)
    print(json.dumps(data.decode().split("\n")), flush=True)
