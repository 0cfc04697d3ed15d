import os

made = 0
try:
    while True:
        os.close(os.open(f"/tmp/{made}", os.O_CREAT | os.O_WRONLY))
        made += 1
except OSError:
    print("BROKE OUT" if made > 10_000 else "OK", made, flush=True)
