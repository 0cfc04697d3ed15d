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
        connection.sendall(b"HTTP/9 two hundred\r\nContent-Length: -5\r\n\x00\xff\r\n\r\n200")
