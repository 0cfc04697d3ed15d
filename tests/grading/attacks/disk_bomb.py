import os

written = 0
for folder in ("/tmp", "/", "/dev/shm", "/dev", "/box", "/var/tmp", "/run"):
    for number in range(100):
        try:
            with open(f"{folder}/bomb{number}", "wb", buffering=0) as file:
                while True:
                    written += file.write(b"x" * 2**20)
        except OSError:
            if number > 30:
                break
print("BROKE OUT" if written > 20 * 2**20 else "OK", written, flush=True)
os.system("true")
