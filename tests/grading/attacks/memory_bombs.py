import os
import time

for _ in range(30):
    try:
        if os.fork() == 0:
            hoard = []
            try:
                while True:
                    hoard.append(b"x" * 2**22)
            except MemoryError:
                time.sleep(1000)
    except OSError:
        break
