import os
import socket

reached = []
for address in (("127.0.0.1", PORT), ("127.0.0.1", 22), ("1.1.1.1", 53), ("169.254.169.254", 80)):
    try:
        socket.create_connection(address, 0.1).close()
        reached.append(address)
    except OSError:
        pass
for name in ("\0" + ABSTRACT, "\0/tmp/.X11-unix/X0", "/run/dbus/system_bus_socket", "/var/run/docker.sock"):
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(name)
            reached.append(name)
    except OSError:
        pass
try:
    socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)
    reached.append("raw")
except OSError:
    pass
try:
    reached += {name for _, name in socket.if_nameindex()} - {"lo"}
except OSError:
    pass
print("BROKE OUT" if reached else "OK", reached, os.getpid(), flush=True)
