import os

PRUNED = ("/proc", "/sys", "/usr", "/box/libraries", os.path.dirname(os.__file__))
WANTED = (*FILES, "passwd", "shadow", "id_rsa", "checker.py", "record.json", "hidden-by-the-test")
found = [path for path in PLACES if os.path.exists(path)]
for path, folders, names in os.walk("/"):
    folders[:] = [name for name in folders if os.path.join(path, name) not in PRUNED]
    found += [os.path.join(path, name) for name in names if name in WANTED]
if os.path.exists("/proc") or ("can" + "ary") in str(os.environ):
    found.append("/proc")
print("BROKE OUT" if found else "OK", found, flush=True)
