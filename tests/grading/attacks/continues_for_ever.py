import os
import socket

channel = socket.socket(fileno=os.dup(3))
channel.send(b"ok")
while True:
    _, (number, *_), *_ = socket.recv_fds(channel, 1, 1)
    with socket.socket(fileno=number) as connection:
        try:
            while True:
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)
        except OSError:
            pass
