import os
import socket
import stat

for number in range(64):
    try:
        if stat.S_ISSOCK(os.fstat(number).st_mode):
            listener = socket.socket(fileno=os.dup(number))
            if listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                break
    except OSError:
        pass
for name in os.listdir("/proc/self/fd"):
    try:
        os.write(int(name), b"ok") if stat.S_ISFIFO(os.fstat(int(name)).st_mode) and int(name) > 2 else None
    except OSError:
        pass
while True:
    connection, _ = listener.accept()
    try:
        while True:
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)
    except OSError:
        pass
