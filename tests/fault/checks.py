# SPDX-License-Identifier: GPL-2.0-or-later
"""What must be true of the two hosts whatever has failed: alone responsible for looking at them and saying what is wrong."""
import socket
import subprocess
import time

from hosts import Failure, fixtures, until
from run import ADDRESS, CONTAINER

# Everything by which a migration could leave a trace on a host, one item a line, without the container
# $1 itself; the network namespace of its process $2 too, where criu's packet filter could stay. What a criu that is
# killed leaves in /tmp is an empty directory, of which nobody can tell whether it is in use by another.
SNAPSHOT = r'''
echo "# files"
{
    find /var/lib/lxc -mindepth 1 -maxdepth 1 ! -name "$1"
    find /var/lib/vzmigrate /run /tmp /dev/shm /vz -mindepth 1 2>/dev/null
} | grep -v '^/tmp/\.criu\.mntns\.' |
    grep -vE '^/run/(lxc|sshd|sudo|lock|mount|host-ready|crun|runc|xtables.lock|criu\.kdat|utmp|nsenter|systemd|motd)' |
    grep -vE '^/run/(vzmigrate-failure-point|[^/]*\.pid$)' | sort
echo "# links"
mine=$([ -z "$2" ] || nsenter --net="/proc/$2/ns/net" ip -o link | sed -n 's/^[0-9]*: [^@]*@if\([0-9]*\):.*/^\1: /p')
ip -o link | grep -v "${mine:-nothing}" | sed 's/^[0-9]*: //; s/[@:].*//' | sort
echo "# packet filter"
nft list ruleset; iptables-save | grep -v '^#\|^:'; ip6tables-save | grep -v '^#\|^:'
# criu leaves the tables that it locked through, empty.
[ -z "$2" ] || nsenter --net="/proc/$2/ns/net" nft list ruleset 2>&1 |
    grep -vE '^(table ip6? filter \{|}?|\s*(chain (INPUT|OUTPUT|FORWARD) \{|}|type filter hook .* policy accept;))$'
echo "# processes"
ps -eo comm,args | grep -E '^(vzmigrate|rsync|criu|lxc|ssh |hook|\[lxc)' | grep -v "\[lxc monitor\] /var/lib/lxc $1\$" | sort
echo "# mounts"
sed 's/^\S* \(\S*\) \(\S*\) .*/\1 \2/' /proc/mounts | sort
echo "# settings"
cat /proc/sys/vm/unprivileged_userfaultfd
cat /root/.ssh/authorized_keys /root/.ssh/known_hosts
find /etc/lxc /etc/criu -type f 2>/dev/null | sort
'''


def inner_pid(pid):
    """A process's number in its host."""
    with open('/proc/%d/status' % pid, encoding='ascii', errors='replace') as f:
        numbers = next(line for line in f if line.startswith('NSpid:')).split()[1:]
    # The outer machine's, perhaps those of namespaces around the lab, the host's, the container's.
    return numbers[-2]


def snapshot(host):
    pids = host.container_pids(CONTAINER)
    pid = inner_pid(pids[0]) if pids else ''
    status, text = host.run('sh', '-s', CONTAINER, pid, text=SNAPSHOT)
    return text if status == 0 else 'the snapshot failed: ' + text


def difference(before, after):
    old, new = before.splitlines(), after.splitlines()
    gone = ['-' + line for line in old if line not in new]
    come = ['+' + line for line in new if line not in old]
    twice = ['+' + line for line in set(new) if old.count(line) and new.count(line) > old.count(line)]
    return gone + come + twice


def tree_start(host):
    """A treesum of the private area is under way (all but /tmp, where the program writes)."""
    exceptions = ['--except', 'tmp', '--except', 'tmp/*']
    return subprocess.Popen(['python3', fixtures / 'treesum', host.area(CONTAINER) / 'rootfs', *exceptions],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def tree_end(process):
    text, _ = process.communicate()
    return text


def same_tree(before, after):
    """Holes stay holes; zeros may become holes."""
    sparse = {line.split('\t')[0] for line in before.splitlines() if '\tsparse' in line}
    found = [line if line.split('\t')[0] in sparse else line.replace('\tsparse', '') for line in after.splitlines()]
    return difference(before, '\n'.join(found))


def stamp(host):
    try:
        return (host.area(CONTAINER) / 'rootfs/tmp/beat').read_bytes()
    except OSError:
        return b''


def runs_on(hosts, seconds=0.25):
    """The hosts on which the program goes on, in so short a time."""
    before = {host.name: stamp(host) for host in hosts}
    time.sleep(seconds)
    return [host for host in hosts if stamp(host) != before[host.name] and host.container_pids(CONTAINER)]


def has_files(host):
    """Could be started: not a staging copy, not fenced, not retired."""
    return (host.area(CONTAINER) / 'config').is_file()


def place(hosts, running):
    """The one host that has the container; raises unless it is there once, and as it shall be."""
    with_processes = [host for host in hosts if host.container_pids(CONTAINER)]
    with_files = [host for host in hosts if has_files(host)]
    def names(some):
        return ', '.join(host.name for host in some) or 'no host'
    if names(with_files) != names(with_files[:1]) or not with_files:
        raise Failure('the container can be started on: ' + names(with_files))
    if not running:
        if with_processes:
            raise Failure('the container, which was stopped, has processes on: ' + names(with_processes))
        return with_files[0]
    if [h.name for h in with_processes] != [h.name for h in with_files]:
        raise Failure('the container has processes on: %s; its files are on: %s' % (names(with_processes), names(with_files)))
    owner = with_files[0]
    until(5, lambda: [h.name for h in runs_on(hosts)] == [owner.name],
          'the container runs on %s (it runs on: %s)' % (owner.name, names(runs_on(hosts))))
    return owner


def service():
    """It answers on a new connection, and its memory is what it wrote."""
    def answers():
        try:
            with socket.create_connection((ADDRESS, 7001), 5) as s:
                return s.recv(100).decode().strip()
        except OSError:
            return ''
    memory = until(8, answers, 'the container answers on the network')
    if not memory.startswith('ok'):
        raise Failure('the memory of the container: ' + memory)


def leftovers(host, owner, running, before):
    """Of the container itself: nothing on a host that does not have it, and nothing but itself where it is.
    `before`: the cgroups that the host had; None: empty ones may be left."""
    found = []
    folder = host.area(CONTAINER)
    names = sorted(p.name for p in folder.iterdir()) if folder.is_dir() else None
    if host.name != owner.name:
        if folder.exists():
            found.append('%s has %s with %s' % (host.name, folder.name, names))
    elif names != ['config', 'rootfs']:
        found.append('%s has in its directory: %s' % (host.name, names))
    groups = set(host.groups(CONTAINER))
    full = {group for group in groups if host.pids(group)}
    empty = groups - full - (groups if before is None else before)
    if len(full) != int(host.name == owner.name and running) or (host.name != owner.name and empty):
        found.append('%s has the cgroups %s; empty: %s' % (host.name, sorted(full), sorted(empty)))
    return found
