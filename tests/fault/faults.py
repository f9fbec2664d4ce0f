# SPDX-License-Identifier: GPL-2.0-or-later
"""The faults: alone responsible for doing them. Each is done to a run that stands at the row that it is meant for."""
import dataclasses
import signal
import time

from hosts import Failure

# --timeout of every run: what is silent for longer is lost.
TIMEOUT = 3
ONLINE_DUMPED = ('copy-last', 'ready', 'await-dump', 'copy-images', 'place', 'restore', 'fence', 'commit', 'resume',
                 'fill', 'release')
ONLINE_HELD = ('fence', 'commit', 'resume')
RSYNC = ('copy-files', 'copy-last')
# What the destination's agent does in a row.
OPERATIONS = {'check': 'check', 'create': 'stage', 'prepare-switch': 'prepare', 'ready': 'arm-restore',
              'place': 'place', 'restore': 'restore',
              'resume': 'take-over', 'start': 'take-over', 'hand-over': 'take-over', 'fill': 'await-memory',
              'finish': 'finish'}


def is_program(process, word):
    return bool(process.argv) and process.argv[0].endswith('vzmigrate') and (word in process.argv)


def source_process(process):
    return is_program(process, '101') and not {'--agent', '--pipe', '--fill'} & set(process.argv)


def agent_process(process):
    return is_program(process, '--agent')


def images_process(process):
    return is_program(process, '--images')


def fill_process(process):
    return is_program(process, '--fill')


def hook_process(process):
    return any(word.startswith('/run/vzmigrate/') and word.endswith('/hook') for word in process.argv[:1]) or \
        (process.name == 'hook')


def named(name):
    return lambda process: process.name == name


def lxc_checkpoint(process):
    # A restored container's monitor has kept the name, but not the arguments.
    return process.name == 'lxc-checkpoint' and process.argv[:1] == ['lxc-checkpoint']


def eldest(host, matches):
    """The matching processes of the host that are nobody's child among them, and not in the container."""
    inside = set(host.container_pids('101'))
    found = [p for p in host.processes() if p.pid not in inside and p.state != 'Z' and matches(p)]
    pids = {p.pid for p in found}
    return [p for p in found if p.parent not in pids]


def stand(run, point=None, host=None):
    """Starts the run and comes back when it stands at the row."""
    run.start((point or 'step ' + run.row) + ' wait', host)
    run.until_reached()


def wait_and_kill(run, host, matches):
    """Kills what is there already, or lets the run go on and kills the first that comes."""
    found = eldest(host, matches)
    if found:
        for process in found:
            process.kill()
        run.release()
        return
    run.release()
    while not run.ended():
        found = eldest(host, matches)
        if found:
            time.sleep(run.random.uniform(0, 0.03))
            for process in found:
                process.kill()
            return
        time.sleep(0.004)
    raise Failure('the process to be killed was never seen')


@dataclasses.dataclass(frozen=True)
class Fault:
    what: str
    column: str			# its head in the final table
    kind: str			# what may come of it: see matrix.expectation()
    do: object			# a function of the run
    modes: tuple = ('online', 'restart', 'stopped')
    rows: tuple = ()		# () is all
    kills_source: bool = False
    at_end: bool = False	# the row has done what it does
    rarely: bool = False	# slow: only where it tells most, unless all is wanted
    release_build: bool = False	# the program without failure points
    unclean: bool = False	# what was killed is what removes a cgroup: an empty one stays, which lxc does not mind

    def fits(self, mode, row):
        if row in ('lock', 'find') and self.do in NEEDS_PEER:
            return False
        # Online the copy is mostly in its place by then.
        if (mode, row) == ('online', 'place') and self.do in (kill_agent, kill_agent_at_end):
            return False
        return mode in self.modes and (not self.rows or row in self.rows)


def fail(run):
    run.start('step %s fail' % run.row)


def fail_at_end(run):
    run.start('step %s done fail' % run.row)


def kill_source(run):
    run.start('step %s kill' % run.row)


def kill_source_at_end(run):
    run.start('step %s done kill' % run.row)


def kill_agent(run):
    """In the middle of what it does in this row, or idle."""
    if run.row in OPERATIONS:
        stand(run, 'operation ' + OPERATIONS[run.row], run.destination)
    else:
        stand(run)
    wait_and_kill(run, run.destination, agent_process)


def kill_agent_at_end(run):
    """It has done what was asked; nobody hears of it."""
    stand(run, 'operation %s done' % OPERATIONS[run.row], run.destination)
    wait_and_kill(run, run.destination, agent_process)


def killer(side, matches):
    def kill(run):
        stand(run)
        wait_and_kill(run, getattr(run, side), matches)
    return kill


def kill_fill_worker(run):
    """Who fills memory in, not who watches over that."""
    stand(run)
    found = [p for p in run.destination.processes() if fill_process(p)]
    workers = [p for p in found if p.parent in {p.pid for p in found}]
    if not workers:
        raise Failure('nobody fills memory in')
    for process in workers:
        process.kill()
    run.release()


def cut(run, seconds):
    stand(run)
    run.destination.cut()
    run.release()
    run.later(seconds, run.destination.mend)


def cut_short(run):
    cut(run, 1)


def cut_long(run):
    cut(run, 10)


def cut_for_good(run):
    stand(run)
    run.destination.cut()
    run.unreachable = True
    run.cure(run.destination.mend)
    run.release()


def fill_disk(run):
    stand(run)
    run.cure(run.destination.free_disk)
    run.destination.fill_disk()
    run.release()


def fill_tmpfs(run):
    stand(run)
    run.cure(run.destination.free_tmpfs)
    run.destination.fill_tmpfs()
    run.release()


def crash_source(run):
    stand(run)
    run.crash(run.source)
    run.wait()
    # The destination must have noticed by itself what it is to notice.
    run.agents_end()
    run.source.boot()


def crash_destination(run):
    stand(run)
    run.crash(run.destination)
    run.unreachable = True
    run.cure(run.destination.boot)
    run.release()


def signaller(*numbers):
    def send(run):
        stand(run)
        for number in numbers:
            for process in eldest(run.source, source_process):
                process.signal(number)
            time.sleep(0.05)
        run.release()
    return send


NEEDS_PEER = {kill_agent}
SOURCE_TOOLS = ('arm', 'freeze', 'dump') + ONLINE_DUMPED
DESTINATION_TOOLS = ('await-dump', 'restore') + ONLINE_HELD
online = ('online',)
FAULTS = (
    Fault('the row fails', 'fail', 'fail', fail),
    Fault('fails at its end', 'fail>', 'fail', fail_at_end, at_end=True,
          rows=('copy-files', 'restore', 'commit', 'resume', 'start', 'hand-over', 'release', 'finish')),
    Fault('the source process is killed', 'src', 'killed', kill_source, kills_source=True),
    Fault('the source process is killed at its end', 'src>', 'killed', kill_source_at_end, kills_source=True, at_end=True,
          rows=('arm', 'freeze', 'restore', 'commit', 'resume', 'start', 'hand-over', 'release', 'retire')),
    Fault('the agent is killed', 'agent', 'lost', kill_agent),
    Fault('the agent is killed before it can answer', 'agent>', 'lost', kill_agent_at_end, rows=tuple(OPERATIONS)),
    Fault('rsync is killed', 'rsync', 'tool', killer('source', named('rsync')), rows=RSYNC),
    Fault('rsync is killed over there', 'rsync-d', 'tool', killer('destination', named('rsync')), rows=RSYNC),
    Fault('the receiver of the images is killed', 'images', 'tool', killer('destination', images_process), online,
          ('copy-memory', 'final-round', 'copy-last', 'copy-images')),
    Fault('who fills memory in is killed', 'fill', 'tool', kill_fill_worker, online, ONLINE_HELD),
    Fault('who watches over that is killed', 'guard', 'survive', killer('destination', fill_process), online, ONLINE_HELD),
    Fault('criu is killed', 'criu', 'tool', killer('source', named('criu')), online, SOURCE_TOOLS),
    Fault('lxc-checkpoint is killed', 'lxc', 'tool', killer('source', lxc_checkpoint), online, SOURCE_TOOLS),
    Fault('the hook is killed', 'hook', 'tool', killer('source', hook_process), online, SOURCE_TOOLS),
    Fault('criu is killed over there', 'criu-d', 'tool', killer('destination', named('criu')), online, DESTINATION_TOOLS,
          unclean=True),
    Fault('lxc-checkpoint is killed over there', 'lxc-d', 'tool', killer('destination', lxc_checkpoint), online,
          DESTINATION_TOOLS, unclean=True),
    Fault('the hook is killed over there', 'hook-d', 'tool', killer('destination', hook_process), online, DESTINATION_TOOLS),
    Fault('the link is cut for 1 s', 'cut1', 'survive', cut_short),
    Fault('the link is cut for 10 s', 'cut10', 'lost', cut_long, rarely=True),
    Fault('the link is cut for good', 'cut', 'lost', cut_for_good),
    Fault("the destination's disk is full", 'disk', 'room', fill_disk),
    Fault("the destination's tmpfs is full", 'tmpfs', 'room', fill_tmpfs),
    Fault('^C', 'int', 'signal', signaller(signal.SIGINT)),
    Fault('^C twice', 'int2', 'signal', signaller(signal.SIGINT, signal.SIGINT)),
    Fault('the terminal is gone', 'hup', 'signal', signaller(signal.SIGHUP)),
    Fault('the source loses its power', 'power', 'killed', crash_source, kills_source=True),
    Fault('the destination loses its power', 'power-d', 'lost', crash_destination),
)
