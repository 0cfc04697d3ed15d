# Pages of the grader's own files that nobody keeps in memory must be read from the disk again.
import mmap
import os

MADV_COLD, MADV_PAGEOUT = 20, 21
broke = []
library = os.open(os.__file__, os.O_RDONLY)
try:
    os.posix_fadvise(library, 0, 0, os.POSIX_FADV_DONTNEED)
    broke.append("fadvise")
except OSError:
    pass
with mmap.mmap(library, 0, prot=mmap.PROT_READ) as pages:
    for advice in (MADV_COLD, MADV_PAGEOUT):
        try:
            pages.madvise(advice)
            broke.append(advice)
        except OSError:
            pass
print("BROKE OUT" if broke else "OK", broke, flush=True)
