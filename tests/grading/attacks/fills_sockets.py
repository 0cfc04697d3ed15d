# What waits in a socket is memory of the kernel, and counts against no limit of a process.
import socket

LIMIT = 20 * 2**20
filled, families, held = 0, [], []


def fill(connection):
    global filled
    connection.setblocking(False)
    try:
        while filled <= LIMIT:
            filled += connection.send(b"x" * 2**16)
    except OSError:
        pass


def fill_accept_queue():
    """Fill connections that nobody accepts, and close our ends of them."""
    try:
        listener = socket.socket(socket.AF_UNIX)
        held.append(listener)
        listener.bind("\0queue")
        listener.listen(4096)
        while filled <= LIMIT:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.setblocking(False)
                connection.connect("\0queue")
                fill(connection)
    except OSError:
        pass


def make_pairs():
    """Fill pairs of sockets."""
    try:
        while filled <= LIMIT:
            held.append(socket.socketpair())
            fill(held[-1][0])
    except OSError:
        pass


fill_accept_queue()
make_pairs()
held.clear()
for family in set(range(64)) - {socket.AF_UNIX}:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
        try:
            socket.socket(family, kind).close()
            families.append(family)
        except OSError:
            pass
for number in range(3, 64):
    try:
        connection = socket.socket(fileno=number)
    except OSError:
        continue
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**26)
        families.append("buffer")
    except OSError:
        pass
    connection.detach()
print("BROKE OUT" if filled > LIMIT or families else "OK", filled, families, flush=True)
