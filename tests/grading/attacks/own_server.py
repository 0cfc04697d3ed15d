import os
import socket

channel = socket.socket(fileno=os.dup(3))
channel.send(b"ok")
while True:
    _, (number, *_), *_ = socket.recv_fds(channel, 1, 1)
    with socket.socket(fileno=number) as connection:
        connection.recv(65536)
        body = b'{"access_token": "the same one for everybody"}'
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)
