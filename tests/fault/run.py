# SPDX-License-Identifier: GPL-2.0-or-later
"""One run of vzmigrate with a fault in it: alone responsible for its processes, its time and what it leaves to be cured."""
import subprocess
import tempfile
import threading
import time

import faults
from hosts import Failure, fixtures, until

CONTAINER = '101'
ADDRESS = '10.77.0.' + CONTAINER
LIMIT = 60


class Silence(Failure):
    """A connection of which nobody hears any more."""


class Client:
    """A TCP connection to the container, every byte of it checked (tests/lab/fixtures/client.py)."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        ready = self.folder.name + '/ready'
        with open(self.folder.name + '/out', 'wb') as out:
            self.process = subprocess.Popen(['python3', fixtures / 'client.py', ADDRESS, '--pause', '10', '--ready', ready],
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        def is_ready():
            with open(self.folder.name + '/out', encoding='utf-8') as out:
                if self.process.poll() is not None:
                    raise Failure('the client has ended: ' + out.read().strip())
            try:
                with open(ready, 'rb'):
                    return True
            except FileNotFoundError:
                return False
        until(10, is_ready, 'the client has its first answer')

    def stop(self, seconds):
        """Its last line. Raises unless every byte was right and nothing is missing."""
        self.process.terminate()
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.abandon()
            raise Silence('the client waits in vain for its bytes') from None
        with open(self.folder.name + '/out', encoding='utf-8') as out:
            line = out.read().strip()
        self.folder.cleanup()
        if status != 0:
            raise Failure('the client: ' + line)
        return line

    def abandon(self):
        self.process.kill()
        self.process.wait()
        self.folder.cleanup()


class Run:
    def __init__(self, mode, row, source, destination, random):
        self.mode, self.row = mode, row
        self.source, self.destination = source, destination
        self.random = random
        self.process = None
        self.status = None
        self.timers, self.cures = [], []
        self.unreachable = False
        self.powerless = None	# the host that has lost its power,
        self.unknown = False	# when it had no journal, so that nobody knows afterwards; and
        self.lost = False	# whether processes of the container were lost with it
        self.recovered = ''
        self.point_host = None
        self.output = tempfile.TemporaryFile()

    def start(self, point=None, host=None):
        """With a failure point on a host (default: the source)."""
        if point:
            self.point_host = host or self.source
            self.point_host.set_point(point)
        options = ['-v', '--timeout=%d' % faults.TIMEOUT, *(['--online'] if self.mode == 'online' else [])]
        self.process = subprocess.Popen(self.source.command('vzmigrate', *options, self.destination.address, CONTAINER),
                                        stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT)

    def ended(self):
        return self.process.poll() is not None

    def until_reached(self):
        until(LIMIT, lambda: self.point_host.point_reached() or self.ended(), 'the run comes to its row')
        if not self.point_host.point_reached():
            raise Failure('the run ended with status %d before it came to its row' % self.process.returncode)

    def release(self):
        self.point_host.clear_point()

    def wait(self):
        try:
            self.status = self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            for process in faults.eldest(self.source, faults.source_process):
                process.kill()
            self.process.wait()
            raise Failure('the run did not end within %d s' % LIMIT) from None

    def later(self, seconds, act):
        """Does it when so much time has passed, also when the run has ended by then."""
        timer = threading.Timer(seconds, act)
        timer.start()
        self.timers.append(timer)

    def cure(self, act):
        """To be done when the run has ended."""
        self.cures.append(act)

    def crash(self, host):
        self.powerless = host
        self.unknown = host.journal(CONTAINER) is None
        self.lost = bool(host.container_pids(CONTAINER))
        host.crash()

    def apply_cures(self):
        for timer in self.timers:
            timer.join()
        for act in self.cures:
            act()
        self.timers, self.cures = [], []

    def agents_end(self):
        """Every process of the program has ended but hooks, and those who will fill memory in, of a container that is held:
        what takes back by itself has done so."""
        def working():
            return [p for host in (self.source, self.destination) for p in host.processes()
                    if p.argv and p.argv[0].endswith('vzmigrate') and not faults.hook_process(p) and not faults.fill_process(p)]
        try:
            until(faults.TIMEOUT * 3 + 5, lambda: not working(), 'the agent ends')
        except Failure:
            raise Failure('the program has not ended: ' + '; '.join(map(str, working()))) from None

    def text(self):
        self.output.seek(0)
        return self.output.read().decode(errors='replace')

    def abandon(self):
        """Whatever has become of it, nothing of it stays."""
        for timer in self.timers:
            timer.cancel()
            timer.join()
        self.apply_cures()
        if self.process and not self.ended():
            self.process.kill()
            self.process.wait()
        self.output.close()


def recover(host, *words):
    """(status, text, seconds)"""
    began = time.monotonic()
    status, text = host.run('vzmigrate', '--recover', '--timeout=%d' % faults.TIMEOUT, *words, timeout=40)
    return status, text, time.monotonic() - began
