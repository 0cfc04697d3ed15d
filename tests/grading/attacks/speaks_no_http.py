import os
import socket

channel = socket.socket(fileno=os.dup(3))
channel.send(b"ok")
while True:
    _, (number, *_), *_ = socket.recv_fds(channel, 1, 1)
    with socket.socket(fileno=number) as connection:
        connection.recv(65536)
        connection.sendall(b"HTTP/9 two hundred\r\nContent-Length: -5\r\n\x00\xff\r\n\r\n200")
