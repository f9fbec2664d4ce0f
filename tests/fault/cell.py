# SPDX-License-Identifier: GPL-2.0-or-later
"""One cell of the matrix from its beginning to its verdict, and the container and hosts that go from cell to cell."""
import concurrent.futures
import os
import random
import re
import time

import checks
import faults
import matrix
from hosts import Failure, Host, lab, until
from run import CONTAINER, Client, Run, Silence, recover
from sampler import Sampler

# Python compiles some modules only when the program has been running for a while: the tree must not change by that.
KEYS = ('mem', 'MB=64', 'DIRTY=2', 'FILES=100',
        'EXTRA=lxc.environment = BEAT=5\nlxc.environment = PYTHONDONTWRITEBYTECODE=1')
# How long a client may wait for bytes that are repeated after a cut of ten seconds.
PATIENCE = 25
BROKEN_BY_CRIU = 'criu was killed in the middle of the dump|ended while it was being moved'


class Result:
    def __init__(self, cell):
        self.mode, self.row, self.column, self.name = cell.mode, cell.row.name, cell.fault.column, cell.name
        self.ok, self.why, self.status = True, '', None
        self.unforgivable = False	# two copies ran
        self.unsteady = False		# it was right only when it was tried again
        self.account = []
        self.samples = self.longest = self.seconds = 0

    def fail(self, why):
        self.ok, self.why = False, why

    def word(self):
        status = 'killed' if self.status == matrix.KILLED else '-' if self.status is None else str(self.status)
        return status if self.ok else 'FAIL'

    def report(self, number):
        print('%sok %d - %s (%s, %.1f s)' % ('' if self.ok else 'not ', number, self.name, self.word(), self.seconds))
        for line in [] if self.ok else [self.why, *self.account]:
            print('# ' + line.replace('\n', '\n# '))
        print(end='', flush=True)


class Lab:
    def __init__(self, programs, seed):
        self.programs = programs
        self.random = random.Random(seed)
        # Hosts that are up have another disk.
        lab('down')
        lab('up', 'A', 'B')
        self.hosts = [Host('A'), Host('B')]
        self.owner = None	# the host that has the container, as all of it should be; None: make everything new
        self.installed = None

    def close(self):
        if not os.environ.get('VZMIGRATE_LAB_KEEP'):
            lab('down')

    def install(self, release):
        if self.installed != release:
            lab('install', str(self.programs[release]))
            self.installed = release

    def make(self):
        for host in self.hosts:
            host.wipe()
        self.installed = None
        lab('ct', 'A', CONTAINER, *KEYS)
        self.owner = self.hosts[0]
        self.config = self.config_now(self.owner)
        tree = checks.tree_start(self.owner)
        self.snapshots = [checks.snapshot(host) for host in self.hosts]
        self.tree = checks.tree_end(tree)

    def config_now(self, host):
        return (host.area(CONTAINER) / 'config').read_text()

    def prepare(self, mode, release):
        if self.owner is None:
            self.make()
        self.install(release)
        running = bool(self.owner.container_pids(CONTAINER))
        if running and mode == 'stopped':
            self.owner.run('lxc-stop', '-n', CONTAINER)
            until(10, lambda: not self.owner.container_pids(CONTAINER), 'the container stops')
        if not running and mode != 'stopped':
            self.start(self.owner)

    def start(self, host):
        host.run('lxc-start', '-n', CONTAINER, '-d')
        checks.service()

    def run(self, cell, number):
        result = Result(cell)
        began = time.monotonic()
        try:
            self.prepare(cell.mode, cell.fault.release_build)
            self.attempt(cell, number, result)
        except Failure as failure:
            result.fail(str(failure))
        if not result.ok:
            self.owner = None
        result.seconds = time.monotonic() - began
        return result

    def attempt(self, cell, number, result):
        source = self.owner
        destination = next(host for host in self.hosts if host is not source)
        client = Client() if cell.mode != 'stopped' else None
        run = Run(cell.mode, cell.row.name, source, destination, self.random)
        sampler = Sampler((source, destination), CONTAINER)
        try:
            pids = set(source.container_pids(CONTAINER))
            # lxc-stop leaves empty ones of a container that was restored.
            groups = [set(host.groups(CONTAINER)) for host in self.hosts]
            try:
                cell.fault.do(run)
                run.wait()
                result.status = run.status
                self.judge_status(cell, run)
                self.settle(cell, run, number)
                if run.unknown and cell.mode != 'stopped' and checks.has_files(run.powerless):
                    # As after any boot it is for the admin, or lxc's autostart.
                    checks.place(self.hosts, False)
                    self.start(run.powerless)
                owner = self.judge_place(cell, run)
                if client and (cell.mode == 'online' or set(owner.container_pids(CONTAINER)) == pids):
                    self.judge_client(client, run, owner)
                self.judge_rest(owner, cell.mode != 'stopped', None if cell.fault.unclean else groups)
                self.owner = owner
            finally:
                sampler.stop()
                result.samples, result.longest = sampler.samples, sampler.longest
                if cell.fault.release_build:
                    result.name += ' (%s)' % getattr(run, 'hit', 'nothing')
            twice = sampler.ran_twice(cell.mode == 'online')
            if twice:
                result.unforgivable = True
                raise Failure(twice)
        except Failure:
            result.account = list(self.account(run, sampler))
            raise
        finally:
            run.abandon()
            if client and client.process.poll() is None:
                client.abandon()

    # --- what came of the run -------------------------------------------------------------------------

    def judge_status(self, cell, run):
        if run.status not in cell.statuses:
            raise Failure('exit status %d, expected %s' % (run.status, ' or '.join(map(str, sorted(cell.statuses)))))
        host = run.destination if run.status == 0 else run.source
        if cell.mode == 'stopped' or run.status in (matrix.KILLED, matrix.UNRESOLVED) or run.powerless is host:
            return
        until(5, lambda: host in checks.runs_on([host]), 'it said %d, so the container runs on %s' % (run.status, host.name))

    def settle(self, cell, run, number):
        """--recover until nothing is left to do; while the other host cannot be reached it must do no harm."""
        if run.unreachable:
            status, text, _ = recover(run.source, CONTAINER)
            right = {matrix.UNRESOLVED} if run.status == matrix.UNRESOLVED else {0, matrix.EXIT['EXIT_CONNECT']}
            if status not in right:
                raise Failure('--recover without its peer: exit status %d, expected %s:\n%s' % (status, right, text))
        run.apply_cures()
        run.agents_end()
        both = [run.source, run.destination]
        order = both if number % 2 else both[::-1]
        # Sometimes without a name, which means whatever there is.
        first = [CONTAINER] if number % 3 else []
        if number % 5 == 0 and cell.owner == 'source':
            first.append('--abort')
        for turn, host in enumerate((*order, *order)):
            status, text, seconds = recover(host, *(first if turn == 0 else [CONTAINER]))
            if status != 0:
                raise Failure('--recover on %s, call %d: exit status %d after %.1f s:\n%s' % (
                    host.name, turn + 1, status, seconds, text))
            run.recovered += '--recover on %s: %s\n' % (host.name, text.strip())

    def judge_place(self, cell, run):
        owner = checks.place(self.hosts, cell.mode != 'stopped')
        words = {run.source.name: 'source', run.destination.name: 'destination'}
        wanted = cell.owner
        if run.status == 0:
            wanted = 'destination'
        elif run.status not in (matrix.KILLED, matrix.UNRESOLVED):
            wanted = 'source'
        if wanted not in ('either', words[owner.name]):
            raise Failure('the container is on the %s, expected on the %s' % (words[owner.name], wanted))
        if run.powerless is owner and run.lost and not run.unknown and not re.search('restarted|started again', run.recovered):
            raise Failure('nobody said that it was started again:\n' + run.recovered)
        return owner

    def judge_client(self, client, run, owner):
        if run.powerless is owner:
            return
        try:
            client.stop(PATIENCE)
        except Silence:
            raise
        except Failure:
            # Killed while it is in the container's processes, criu leaves them to themselves (HACKING.md). That is said.
            if not re.search(BROKEN_BY_CRIU, run.text() + run.recovered):
                raise

    def judge_rest(self, owner, running, groups):
        # One that failed notices a moment later that its connection has ended.
        until(5, lambda: not [p for host in self.hosts for p in host.processes() if p.name == 'rsync'], 'every rsync has ended')
        tree = checks.tree_start(owner)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            if running:
                checks.service()
            found = [line for host, before in zip(self.hosts, groups or (None, None))
                     for line in checks.leftovers(host, owner, running, before)]
            for host, before, after in zip(self.hosts, self.snapshots, pool.map(checks.snapshot, self.hosts)):
                found += ['%s: %s' % (host.name, line) for line in checks.difference(before, after)]
        changed = checks.same_tree(self.tree, checks.tree_end(tree))
        if self.config_now(owner) != self.config:
            changed.append('the configuration')
        if found:
            raise Failure('left behind:\n' + '\n'.join(found[:20]))
        if changed:
            raise Failure('the files differ:\n' + '\n'.join(line[:200] for line in changed[:10]))

    def account(self, run, sampler):
        yield from sampler.account()
        for host in self.hosts:
            folders = sorted(p.name for p in host.area(CONTAINER).parent.glob('*%s*' % CONTAINER))
            yield '%s: container has %d processes, directories %s' % (host.name, len(host.container_pids(CONTAINER)), folders)
            for line in (host.journal(CONTAINER) or 'no journal').splitlines()[-4:]:
                yield '    ' + line[:300]
            for process in host.processes():
                if not process.argv or process.argv[0] not in ('/usr/sbin/sshd', 'sleep'):
                    yield '    ' + str(process)
        yield 'the last lines of the run:'
        yield from ('    ' + line for line in run.text().splitlines()[-14:])
        yield from ('    ' + line for line in run.recovered.splitlines())

    # --- can it fail? ---------------------------------------------------------------------------------

    def self_test(self):
        """Two copies are made to run on purpose: the sampler must say so."""
        fault = faults.Fault('two copies on purpose are noticed', '', '', None)
        cell = matrix.Cell('online', matrix.Row('release', matrix.AFTER, 0), fault, frozenset(), 'either')
        result = Result(cell)
        began = time.monotonic()
        self.prepare('online', False)
        source, destination = self.hosts
        run = Run('online', 'release', source, destination, self.random)
        sampler = Sampler((source, destination), CONTAINER)
        try:
            faults.stand(run)
            for matches in (faults.source_process, faults.lxc_checkpoint, faults.named('criu'), faults.hook_process):
                for process in faults.eldest(source, matches):
                    process.kill()
            source.thaw()
            time.sleep(0.5)
        except Failure as failure:
            result.fail(str(failure))
        finally:
            sampler.stop()
            run.abandon()
        result.samples, result.longest = sampler.samples, sampler.longest
        if result.ok and not sampler.ran_twice(False):
            result.fail('nobody noticed')
            result.account = list(sampler.account())
        self.owner = None
        result.seconds = time.monotonic() - began
        return result
