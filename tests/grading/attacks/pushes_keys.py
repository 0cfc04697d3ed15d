import fcntl
import os
import termios

broke = []
for descriptor in (0, 1, 2):
    try:
        fcntl.ioctl(descriptor, termios.TIOCSTI, b"x")
        broke.append(descriptor)
    except OSError:
        pass
try:
    os.open("/dev/tty", os.O_RDWR)
    broke.append("tty")
except OSError:
    pass
print("BROKE OUT" if broke else "OK", broke, flush=True)
