# SPDX-License-Identifier: GPL-2.0-or-later
"""How each thing is measured: alone responsible for the lab's hosts and containers during a benchmark."""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

project = pathlib.Path(__file__).resolve().parents[2]
fixtures = project / 'tests/lab/fixtures'
ID, FLOOR_ID = '201', '202'
TREE = '/var/lib/lxc/%s/rootfs/' % ID
# Bytes that `ssh cat` carries, in MiB.
CAT_MB = 512
LONGEST = 1800
COPY = ['rsync', '-aHAXS', '--numeric-ids', '--delete']


class Outcome:
    """What came of one measurement: seconds of stop and in all (None: it has none), or why it failed."""

    def __init__(self, stop=None, total=None, rate=None, failure=None):
        self.stop, self.total, self.rate, self.failure = stop, total, rate, failure

    def __str__(self):
        if self.failure:
            return 'FAILED: ' + self.failure
        parts = (('stop %.3f s', self.stop), ('total %.2f s', self.total), ('%.0f MB/s', self.rate))
        return ', '.join(text % value for text, value in parts if value is not None)


class Failure(Exception):
    """Why a measurement says nothing, in one line."""


class Lab:
    def __init__(self, vzmigrate):
        self.vzmigrate = vzmigrate
        self.work = pathlib.Path(tempfile.mkdtemp(prefix='bench-'))
        self.host = None  # where the row's container is; None: there is none
        self.addresses = {}

    # --- the lab ---------------------------------------------------------------------------------------------

    def lab(self, *arguments, script=None, check=True):
        """What scripts/lab prints; `script` is a file for the command's standard input."""
        with open(script or os.devnull, 'rb') as given:
            done = subprocess.run([project / 'scripts/lab', *arguments], stdin=given, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, timeout=LONGEST, check=False)
        if check and done.returncode != 0:
            lines = done.stdout.strip().splitlines() or ['it says nothing']
            raise Failure('%s, status %d: %s' % (' '.join(arguments[:3]), done.returncode, lines[-1]))
        return done.stdout.strip()

    def up(self):
        self.lab('down')
        self.lab('up', 'A', 'B')
        self.lab('install', self.vzmigrate)
        self.addresses = {host: self.lab('address', host) for host in ('A', 'B')}

    def down(self):
        self.lab('link', 'unlimited', check=False)
        self.lab('down', check=False)
        shutil.rmtree(self.work, ignore_errors=True)

    def link(self, rate):
        self.lab('link', rate)

    def other(self):
        return 'B' if self.host == 'A' else 'A'

    def remove(self):
        for host in ('A', 'B'):
            for identity in (ID, FLOOR_ID):
                self.lab('ct-remove', host, identity)
            self.lab('x', host, 'rm', '-rf', '--one-file-system', '/var/lib/lxc/%s.migrated' % ID, '/vz/bench')
        self.host = None

    def container(self, row):
        """The row's container, wherever it is; a new one on A when there is none."""
        if self.host is None:
            self.lab('ct', 'A', ID, 'memory', 'PROCESSES=1', 'CHANGES=no', 'MB=%d' % row.memory,
                     'DIRTY=%d' % row.dirty, 'NOISE=%d' % row.noise, 'FILES=%d' % row.files)
            self.host = 'A'
        # What was written before must not be written to the disk during the measurement.
        os.sync()

    # --- measuring -------------------------------------------------------------------------------------------

    def outcome(self, measuring):
        """Runs it; after a failure there is no container that can be relied upon."""
        try:
            return measuring()
        except (Failure, OSError, subprocess.TimeoutExpired) as problem:
            self.remove()
            return Outcome(failure=str(problem))

    def gap(self, identity, command):
        """Runs the command; (the longest silence of the container as a TCP client hears it, seconds in all)."""
        ready = self.work / 'ready'
        client = subprocess.Popen(['python3', fixtures / 'ticks.py', '10.77.0.' + identity, '--ready', ready],
                                  stdout=subprocess.PIPE, text=True)
        try:
            end = time.monotonic() + 15
            while not ready.exists():
                if client.poll() is not None or time.monotonic() > end:
                    raise Failure('container %s does not tick' % identity)
                time.sleep(0.02)
            ready.unlink()
            time.sleep(0.3)
            started = time.monotonic()
            command()
            total = time.monotonic() - started
            time.sleep(0.7)
            client.send_signal(signal.SIGTERM)
            said = client.communicate(timeout=30)[0].strip()
        finally:
            client.kill()
        found = re.fullmatch(r'ok .*gap=([\d.]+)', said)
        if not found:
            raise Failure('the client: ' + said)
        return float(found[1]), total

    def move(self, row, command):
        """A live move to the other host, after which all memory must be what it was."""
        self.container(row)
        stop, total = self.gap(ID, command)
        self.host = self.other()
        with socket.create_connection(('10.77.0.' + ID, 7001), 30) as asked:
            asked.settimeout(120)
            said = asked.makefile().readline().strip()
        if not said.startswith('ok '):
            raise Failure('memory arrived wrong: ' + said)
        return Outcome(stop=stop, total=total)

    def ours(self, row, type_options):
        return self.outcome(lambda: self.move(row, lambda: self.lab(
            'x', self.host, 'vzmigrate', '--online', *type_options, self.addresses[self.other()], ID)))

    def by_hand(self, row):
        return self.outcome(lambda: self.move(row, lambda: self.lab(
            'x', self.host, 'bash', '-s', self.addresses[self.other()], ID, script=project / 'scripts/recipe')))

    def floor(self):
        def measuring():
            self.lab('ct', 'A', FLOOR_ID, 'memory', 'PROCESSES=1', 'CHANGES=no', 'MB=1', 'DIRTY=0')
            stop, total = self.gap(FLOOR_ID, lambda: self.lab(
                'x', 'A', 'bash', '-s', '--', '-', FLOOR_ID, script=project / 'scripts/recipe'))
            self.lab('ct-remove', 'A', FLOOR_ID)
            return Outcome(stop=stop, total=total)
        return self.outcome(measuring)

    def ssh_cat(self):
        def measuring():
            source, destination = self.host or 'A', self.addresses[self.other() if self.host else 'B']
            self.lab('x', source, 'sh', '-c', 'head -c %dM /dev/urandom >/dev/shm/bench' % CAT_MB)
            started = time.monotonic()
            self.lab('x', source, 'sh', '-c', 'ssh root@%s "cat >/dev/null" </dev/shm/bench' % destination)
            passed = time.monotonic() - started
            self.lab('x', source, 'rm', '/dev/shm/bench')
            return Outcome(total=passed, rate=CAT_MB * 1.048576 / passed)
        return self.outcome(measuring)

    def rsync(self, row):
        def measuring():
            self.container(row)
            destination = self.addresses[self.other()]
            started = time.monotonic()
            self.lab('x', self.host, 'rsync', '-a', TREE, 'root@%s:/vz/bench/' % destination)
            passed = time.monotonic() - started
            self.lab('x', self.other(), 'rm', '-rf', '/vz/bench')
            return Outcome(total=passed)
        return self.outcome(measuring)

    # --- with a restart: each time a fresh container, since nothing is removed on the source -------------------

    def timed(self, row, command):
        def measuring():
            self.remove()
            self.container(row)
            started = time.monotonic()
            command()
            return Outcome(total=time.monotonic() - started)
        return self.outcome(measuring)

    def ours_offline(self, row):
        return self.timed(row, lambda: self.lab('x', 'A', 'vzmigrate', '-r', 'no', self.addresses['B'], ID))

    def by_hand_offline(self, row):
        def command():
            folder = '/var/lib/lxc/%s/' % ID
            copy = [*COPY, folder, 'root@%s:%s' % (self.addresses['B'], folder)]
            for step in (copy, ['lxc-stop', '-n', ID, '-t', '90'], copy):
                self.lab('x', 'A', *step)
            self.lab('x', 'B', 'lxc-start', '-n', ID, '-d')
        return self.timed(row, command)
