import mmap

hoard = []


@app.before_request
def eat():
    try:
        while True:
            hoard.append(mmap.mmap(-1, 2**22, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
    except (MemoryError, OSError):
        print("BROKE OUT" if len(hoard) > 60 else "OK", len(hoard), flush=True)
        raise
