"""Without a device every call prints on standard error: a pipe that nobody reads stops the process."""

import os
import signal
import time
from pathlib import Path

import qatzip

if (child := os.fork()) == 0:
    os.dup2(os.pipe()[1], 2)
    qatzip.load()
    qatzip.set_log_level(qatzip.LogLevel.WARNING)
    session, room = qatzip.Session(), bytearray(5000)
    for _ in range(2000):
        session.compress_into(bytes(4096), room)
    os._exit(0)
expires = time.monotonic() + 3
while (ended := os.waitpid(child, os.WNOHANG)[0]) == 0 and time.monotonic() < expires:
    time.sleep(0.05)
if not ended:
    print("the child waits in", Path(f"/proc/{child}/wchan").read_text())
    os.kill(child, signal.SIGKILL)
print("gone: 2000 calls end" if ended else "shown: hang: 2000 compressions of a page do not end within 3 s")
