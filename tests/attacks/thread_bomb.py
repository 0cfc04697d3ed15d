import threading
import time

try:
    while True:
        threading.Thread(target=time.sleep, args=[1000], daemon=True).start()
except RuntimeError:
    print("OK: no more threads", flush=True)
