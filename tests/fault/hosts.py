# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab's hosts as the fault suite sees them: alone responsible for what is done to a host (scripts/lab)."""
import os
import pathlib
import shutil
import subprocess
import time

project = pathlib.Path(__file__).resolve().parents[2]
state = pathlib.Path(os.environ.get('VZMIGRATE_LAB', '/var/cache/vzmigrate-lab'))
fixtures = project / 'tests/lab/fixtures'
POINT = 'run/vzmigrate-failure-point'
# Room for two copies of the container and little more, so that filling it takes no time.
DISK_MB = 160


class Failure(Exception):
    """What a cell found wrong, in one sentence."""


def until(seconds, condition, what):
    """Waits until the condition holds and returns what it returned."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > end:
            raise Failure('waited %g s in vain: %s' % (seconds, what))
        time.sleep(0.01)
    return found


def lab(*arguments, check=True):
    done = subprocess.run([project / 'scripts/lab', *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, env={**os.environ, 'VZMIGRATE_LAB_DISK': str(DISK_MB)})
    if check and done.returncode != 0:
        raise Failure('lab %s: %s' % (' '.join(arguments), done.stdout.strip()))
    return done.stdout.strip()


class Process:
    """A process of a host, by its pid on this machine."""

    def __init__(self, pid):
        self.pid = pid
        with open('/proc/%d/cmdline' % pid, 'rb') as f:
            self.argv = f.read().decode(errors='replace').split('\0')[:-1]
        with open('/proc/%d/stat' % pid, encoding='latin-1') as f:
            stat = f.read()
        self.name = stat[stat.index('(') + 1:stat.rindex(')')]
        self.state, parent = stat[stat.rindex(')') + 2:].split()[:2]
        self.parent = int(parent)

    def __str__(self):
        return '%d %s %s' % (self.pid, self.state, ' '.join(self.argv)[:150] or '[%s]' % self.name)

    def signal(self, number):
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            pass

    def kill(self):
        self.signal(9)


class Host:
    def __init__(self, name):
        self.name = name
        self.address = lab('address', name)
        self.mounted = None	# its root as seen from here
        self.lib = state / 'hosts' / name / 'disk/lib'
        # v1's freezer knows all processes of the host; with v2 there is one hierarchy.
        v2 = os.path.exists('/sys/fs/cgroup/cgroup.controllers')
        self.cgroup = '/sys/fs/cgroup%s/vzlab-%s' % ('' if v2 else '/freezer', name)

    def root(self):
        if self.mounted is None:
            self.mounted = pathlib.Path(lab('root', self.name))
        return self.mounted

    def command(self, *arguments):
        return [project / 'scripts/lab', 'x', self.name, *arguments]

    def run(self, *arguments, text=None, timeout=30):
        """A command in the host: (status, all that it printed); 124 when it took too long."""
        try:
            done = subprocess.run(self.command('timeout', '-k', '2', str(timeout), *arguments), input=text or '', text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout + 10, errors='replace')
        except subprocess.TimeoutExpired as late:
            return 124, str(late)
        return done.returncode, done.stdout

    def groups(self, container):
        """The cgroup folders of the container (lxc appends -1 and so on to a name that is taken)."""
        try:
            names = os.listdir(self.cgroup)
        except FileNotFoundError:
            return []
        prefix = 'lxc.payload.' + container
        return [self.cgroup + '/' + n for n in names if n == prefix or n.startswith(prefix + '-')]

    def pids(self, folder=None):
        found = []
        for path, _, _ in os.walk(folder or self.cgroup):
            try:
                with open(path + '/cgroup.procs', encoding='ascii') as f:
                    found += [int(line) for line in f]
            except OSError:
                pass
        return found

    def container_pids(self, container):
        return [pid for folder in self.groups(container) for pid in self.pids(folder)]

    def processes(self):
        found = []
        for pid in self.pids():
            try:
                found.append(Process(pid))
            except (FileNotFoundError, ProcessLookupError, ValueError):
                pass
        return found

    def thaw(self):
        for path, _, files in os.walk(self.cgroup, topdown=False):
            for name, word in (('freezer.state', 'THAWED'), ('cgroup.freeze', '0')):
                if name in files and path != self.cgroup:
                    try:
                        with open(path + '/' + name, 'w', encoding='ascii') as f:
                            f.write(word)
                    except OSError:
                        pass

    def journal(self, container):
        try:
            return (self.lib / 'vzmigrate' / (container + '.journal')).read_text(errors='replace')
        except FileNotFoundError:
            return None

    def area(self, container):
        return self.lib / 'lxc' / container

    def cut(self):
        lab('cut', self.name)

    def mend(self):
        lab('mend', self.name)
        # A question for a neighbour's address that went out into the cut cable would still fail: it is asked anew.
        for name in ('A', 'B'):
            lab('x', name, 'ip', 'neighbour', 'flush', 'dev', 'br0', check=False)

    def crash(self):
        lab('crash', self.name)
        self.mounted = None

    def boot(self):
        lab('boot', self.name)

    # --- room --------------------------------------------------------------------------------------------

    def fill_disk(self):
        """Not one block stays free on its disk, for files or for journals."""
        if os.stat(self.lib).st_dev == os.stat(state).st_dev:
            raise Failure("host %s has no disk of its own: this machine's would be filled" % self.name)
        with open(self.lib / 'filler', 'wb') as f:
            size = 64 << 20
            while size >= 1024:
                try:
                    os.posix_fallocate(f.fileno(), f.seek(0, 2), size)
                    f.seek(0, 2)
                except OSError:
                    size //= 2

    def free_disk(self):
        (self.lib / 'filler').unlink(missing_ok=True)

    def tmpfs(self, option):
        """Every tmpfs that images or state could be in: no page more than it has, or as before."""
        status, text = self.run('sh', '-ec', '''
            awk '$3 == "tmpfs" && $2 ~ "^/run" { print $2 }' /proc/mounts | while read -r where; do
                size=$1
                [ "$size" != full ] || size=$(df -k --output=used "$where" | tail -n 1 | tr -d ' ')k
                # 0 would mean no limit.
                [ "$size" != 0k ] || size=4k
                mount -o "remount,size=$size" "$where"
            done''', '_', option)
        if status != 0:
            raise Failure('a tmpfs cannot be limited: ' + text)

    def fill_tmpfs(self):
        self.tmpfs('full')

    def free_tmpfs(self):
        self.tmpfs('50%')

    # --- failure points ----------------------------------------------------------------------------------

    def set_point(self, line):
        root = self.root()
        (root / (POINT + '.reached')).unlink(missing_ok=True)
        (root / (POINT + '.new')).write_text(line + '\n')
        (root / (POINT + '.new')).rename(root / POINT)

    def point_reached(self):
        return (self.root() / (POINT + '.reached')).exists()

    def clear_point(self):
        try:
            root = self.root()
        except Failure:
            return
        for suffix in ('', '.reached'):
            (root / (POINT + suffix)).unlink(missing_ok=True)

    def wipe(self):
        """No container, no journal, nothing in /run: as after a power cut and a new disk."""
        self.crash()
        for path in [*(self.lib / 'lxc').glob('*'), *(self.lib / 'lxc').glob('.[!.]*')]:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        shutil.rmtree(self.lib / 'vzmigrate', ignore_errors=True)
        self.free_disk()
        self.boot()
