import sys

try:
    while True:
        sys.stdout.write("x" * 2**16)
except OSError:
    pass
