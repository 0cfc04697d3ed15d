import os
import socket

for number in range(3, 64):
    try:
        one = socket.socket(fileno=os.dup(number))
        if one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            listener = one
        else:
            one.send(b"ok")
            one.close()
    except OSError:
        pass
while True:
    connection, _ = listener.accept()
    try:
        while True:
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)
    except OSError:
        pass
