# An empty file needs no space in the folder, but a kilobyte of the kernel's memory.
import os

print("OK", flush=True)
for number in range(300_000):
    os.close(os.open(f"/tmp/{number}", os.O_CREAT | os.O_WRONLY))
print("BROKE OUT", flush=True)
