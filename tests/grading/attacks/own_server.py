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
        body = b'{"access_token": "the same one for everybody"}'
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)
