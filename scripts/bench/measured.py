"""What rival.py and rival_artifacts.py share: their clock, which begins with this import, their job, memory and result."""
import json
import os
import sys
import time

started = time.perf_counter()


def age():
    """Seconds since the process began; since this file began where the system does not say."""
    try:
        with open('/proc/self/stat') as stat, open('/proc/uptime') as uptime:
            begun = int(stat.read().rsplit(')', 1)[1].split()[19]) / os.sysconf('SC_CLK_TCK')
            return float(uptime.read().split()[0]) - begun
    except OSError:
        return 0.0


before = age() - (time.perf_counter() - started)

with open(sys.argv[1], encoding='utf8') as file:
    job = json.load(file)


def clock():
    return before + time.perf_counter() - started


def memory(field):
    """A size from /proc/self/status, in bytes; the most so far where the system has no such file."""
    try:
        with open('/proc/self/status') as file:
            return next(int(line.split()[1]) for line in file if line.startswith(field + ':')) * 1024
    except OSError:
        import resource
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == 'darwin' else 1024)


def write_result(step_ends, lengths, losses, samples, versions):
    result = {
        'stepEnds': step_ends, 'lengths': lengths, 'losses': losses, 'memory': samples, 'peakMemory': memory('VmHWM'),
        'versions': {'python': sys.version.split()[0], **versions},
        'importToFirstStep': step_ends[0] - before,
    }
    with open(job['result'], 'w', encoding='utf8') as file:
        json.dump(result, file)
