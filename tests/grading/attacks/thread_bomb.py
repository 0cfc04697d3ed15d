import threading
import time

started = 0
try:
    while True:
        threading.Thread(target=time.sleep, args=[1000], daemon=True).start()
        started += 1
except RuntimeError:
    print("BROKE OUT" if started > 20 else "OK", started, flush=True)
