# SPDX-License-Identifier: GPL-2.0-or-later
"""Watching, every 10 ms, where a container really runs: alone responsible for knowing whether two copies did.

A copy runs when an instruction of its program is carried out. The program of a mem container with BEAT
says so itself: every few milliseconds it writes the time of the clock into /tmp/beat of its own file
system (tests/lab/fixtures/work.py). A stamp that appears in the file of one host, and is newer than
the look before, proves that the copy of that host ran at that instant, whatever its cgroup says and
whoever holds its tasks by ptrace; files that rsync copies carry old stamps. What the cgroups say is kept
for the account of a failure.
"""
import multiprocessing
import os
import time

PERIOD = 0.010
# Stamps of one copy that follow each other so closely are one stretch of running: far more than the beat, for
# a machine that is busy, and far less than any way of a container from one host to the other and back.
STRETCH = 100_000_000
# A stamp is taken before it is written, and the writing may have been interrupted by a dump.
FRESH = 50_000_000


def stretches(stamps):
    """[[first, last], ...] of sorted stamps."""
    found = []
    for stamp in stamps:
        if found and stamp - found[-1][1] <= STRETCH:
            found[-1][1] = stamp
        else:
            found.append([stamp, stamp])
    return found


def overlap(one, other):
    """The first two stretches of different copies that share an instant, or None."""
    for a in stretches(one):
        for b in stretches(other):
            if max(a[0], b[0]) <= min(a[1], b[1]):
                return a, b
    return None


class Look:
    """One host's copy at one moment."""

    def __init__(self, host, container):
        self.host = host
        self.container = container
        self.path = host.area(container) / 'rootfs/tmp/beat'
        self.stamp = None
        self.file = None
        self.stamps = []
        self.group = None
        self.groups = []

    def beat(self, since):
        try:
            fd = os.open(self.path, os.O_RDONLY)
        except OSError:
            self.file = None
            return
        try:
            inode = os.fstat(fd).st_ino
            text = os.read(fd, 20)
        finally:
            os.close(fd)
        stamp = int(text) if len(text) == 20 else 0
        if inode == self.file and stamp != self.stamp and stamp > since - FRESH:
            self.stamps.append(stamp)
        self.file, self.stamp = inode, stamp

    def cgroup(self):
        words = []
        for folder in self.host.groups(self.container):
            for name in ('/freezer.state', '/cgroup.freeze'):
                try:
                    with open(folder + name, encoding='ascii') as f:
                        words.append(f.read().strip())
                except OSError:
                    pass
        state = ' '.join(words) or 'none'
        if state != self.group:
            self.group = state
            self.groups.append((time.time(), state))


def watch(pipe, looks):
    previous = time.time_ns()
    longest = samples = 0
    while not pipe.poll():
        now = time.time_ns()
        for look in looks:
            look.beat(previous)
            look.cgroup()
        samples += 1
        longest = max(longest, now - previous)
        previous = now
        time.sleep(max(0.0, PERIOD - (time.time_ns() - now) / 1e9))
    pipe.send(([sorted(look.stamps) for look in looks], [look.groups for look in looks], samples, longest / 1e6))


class Sampler:
    """Runs from its making to stop(), in a process of its own."""

    def __init__(self, hosts, container):
        self.hosts = hosts
        self.pipe, theirs = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=watch, args=(theirs, [Look(h, container) for h in hosts]), daemon=True)
        self.process.start()
        self.began = time.time()

    def stop(self):
        self.pipe.send('stop')
        self.stamps, self.groups, self.samples, self.longest = self.pipe.recv()
        self.process.join()

    def ran_twice(self, moved_for_good):
        """What was seen of two running copies, as a sentence, or None. moved_for_good: once the second of the hosts
        has run it, the first must not run it again (its memory is the past)."""
        here, there = self.stamps
        both = overlap(here, there)
        if both:
            return 'two copies ran at once: on %s at %s and on %s at %s (seconds of this cell)' % (
                self.hosts[0].name, self.seconds(both[0]), self.hosts[1].name, self.seconds(both[1]))
        if moved_for_good and here and there and here[-1] > there[0]:
            return 'on %s an older copy ran at %.3f, after it had run on %s at %.3f' % (
                self.hosts[0].name, here[-1] / 1e9 - self.began, self.hosts[1].name, there[0] / 1e9 - self.began)
        return None

    def seconds(self, stretch):
        return '%.3f-%.3f' % tuple(stamp / 1e9 - self.began for stamp in stretch)

    def account(self):
        for host, stamps, groups in zip(self.hosts, self.stamps, self.groups):
            yield '%s ran at %s s; its cgroup: %s' % (
                host.name, ', '.join(self.seconds(s) for s in stretches(stamps)) or 'no time',
                ', '.join('%.3f %s' % (at - self.began, word) for at, word in groups))
