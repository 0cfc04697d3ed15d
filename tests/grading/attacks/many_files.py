# A link needs no space in the folder either, and it must be deleted, too.
import os

print("OK", flush=True)
for number in range(300_000):
    os.symlink("x" * 100, f"/tmp/link{number}")
print("BROKE OUT", flush=True)
