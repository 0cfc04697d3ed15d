import os
import socket
import stat

for number in range(3, 64):
    try:
        if stat.S_ISFIFO(os.fstat(number).st_mode):
            os.write(number, b"ok")
            os.close(number)
        elif stat.S_ISSOCK(os.fstat(number).st_mode):
            listener = socket.socket(fileno=os.dup(number))
    except OSError:
        pass
while True:
    with listener.accept()[0] as connection:
        connection.recv(65536)
        body = b'{"access_token": "the same one for everybody"}'
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)
