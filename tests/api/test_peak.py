"""The process in which memory is measured."""

import subprocess
import sys
import time

import psutil

ASKS = """
import os, subprocess, sys
child = "import sys; from hrmlab.api.peak import follow; print('ready', flush=True); follow(int(sys.argv[1]))"
process = subprocess.Popen([sys.executable, "-c", child, str(os.getpid())], stdout=subprocess.PIPE, text=True)
process.stdout.readline()
print(process.pid, flush=True)
process.wait()
"""


def test_the_process_ends_with_the_one_that_asked() -> None:
    asking = subprocess.Popen([sys.executable, "-c", ASKS], stdout=subprocess.PIPE, text=True)
    assert asking.stdout is not None
    child = int(asking.stdout.readline())
    assert at_work(child)
    asking.kill()
    asking.communicate()
    until = time.monotonic() + 10
    while at_work(child) and time.monotonic() < until:
        time.sleep(0.1)
    assert not at_work(child)


def at_work(process: int) -> bool:
    try:
        return str(psutil.Process(process).status()) != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
