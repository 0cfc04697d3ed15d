# Whoever empties our folder meets closed folders, names that are no text, great depth, and what still grows.
import os
import time

here = os.getcwd()
for name in (b"\xff\xfe", b"\xed\xa0\x80", b"new\nline", b"\x1b[2J", b"-rf", b" ", b"x" * 255):
    os.makedirs(b"/tmp/odd/" + name)
os.symlink("/", "/tmp/odd/machine")
os.symlink("loop", "/tmp/odd/loop")
os.makedirs("/tmp/closed/inside")
os.makedirs("/tmp/grows")
os.makedirs("/tmp/deep")
try:
    os.chdir("/tmp/deep")
    for _ in range(1_500):  # longer than a path can be, and more than Python's functions can call each other
        os.mkdir("deeper")
        os.chdir("deeper")
except OSError:
    pass
os.chdir(here)
if os.fork() == 0:
    while True:
        time.sleep(0.02)
        try:
            os.makedirs(f"/tmp/grows/{os.urandom(4).hex()}/inside")
        except OSError:
            pass
os.chmod("/tmp/closed/inside", 0)
os.chmod("/tmp/closed", 0)
os.chmod("/tmp", 0o500)
