"""Runs a command in a pseudo-terminal and stops it: press.py BEGIN SECONDS int|term COMMAND...

So many seconds after the command has written BEGIN, it gets Ctrl-C, as a person types it, or SIGTERM, as service
managers send it: either reaches every process of the command. (npm and npx end at a SIGTERM that they alone get, and do
not pass it on.) Copies to standard output what was written until the last process of the command has ended, and a line
`--- stopped here ---` where it was stopped.
"""
import ctypes
import os
import pty
import select
import signal
import sys
import time

PR_SET_CHILD_SUBREAPER = 36


def shell(command, job_number):
    """What a shell is to its job: the terminal is the job's, and hangs up only when all its processes have ended."""
    if sys.platform == 'linux':  # the processes that a killed npm leaves behind are waited for too
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    job = os.fork()
    if job == 0:
        os.setpgid(0, 0)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        os.tcsetpgrp(0, os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        os.execvp(command[0], command)
    os.write(job_number, str(job).encode())
    os.close(job_number)
    while True:
        try:
            os.wait()
        except ChildProcessError:
            os._exit(0)


def main():
    begin, seconds, kind, *command = sys.argv[1:]
    read, write = os.pipe()
    child, terminal = pty.fork()
    if child == 0:
        shell(command, write)
    os.close(write)
    job = int(os.read(read, 20))
    begun, stopped, written = None, False, b''
    while True:
        if select.select([terminal], [], [], 0.01)[0]:
            try:
                data = os.read(terminal, 65536)
            except OSError:  # Linux: nobody has the terminal open any more
                break
            if not data:
                break
            written += data
            if begun is None and begin.encode() in written:
                begun = time.monotonic()
        if begun is not None and not stopped and time.monotonic() - begun >= float(seconds):
            stopped = True
            written += b'\n--- stopped here ---\n'
            if kind == 'int':
                os.write(terminal, b'\x03')
            else:
                os.killpg(job, signal.SIGTERM)
    os.waitpid(child, 0)
    sys.stdout.buffer.write(written)


main()
