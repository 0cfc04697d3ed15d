import os
import shutil

shutil.rmtree("/tmp/lesson")
for name in ("lesson", "data.db.copy", "results.json", "answer.py"):
    os.symlink("/etc/passwd", f"/tmp/{name}")
os.remove("/tmp/data.db")
os.symlink("/proc/1/mem", "/tmp/data.db")
os.symlink("/tmp/loop", "/tmp/loop")
