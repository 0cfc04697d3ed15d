import os
import socket
import threading

ours, theirs = socket.socketpair()
theirs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 4096)
ours.send(b"ok")


def lock(descriptor):
    for call in (os.splice, lambda source, to, count: os.sendfile(to, source, None, count)):
        try:
            call(theirs.fileno(), descriptor, 4096)
        except OSError:
            pass


for descriptor in range(3, 12):
    threading.Thread(target=lock, args=[descriptor], daemon=True).start()
threading.Event().wait(100)
