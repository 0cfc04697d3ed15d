# An answer needs its input, its output, and the channel to the grader. Nothing else should be open or readable.
import os

found = []
for number in range(4, 4096):
    try:
        os.fstat(number)
        found.append(number)
    except OSError:
        pass
for number in range(64):
    try:
        if os.pread(number, 2**16, 0):
            found.append((number, "has content"))
    except OSError:
        pass
print("BROKE OUT" if found else "OK", found, flush=True)
