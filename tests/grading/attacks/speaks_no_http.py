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
    with listener.accept()[0] as connection:
        connection.recv(65536)
        connection.sendall(b"HTTP/9 two hundred\r\nContent-Length: -5\r\n\x00\xff\r\n\r\n200")
