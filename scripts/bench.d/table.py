# SPDX-License-Identifier: GPL-2.0-or-later
"""What the measurements say: alone responsible for medians, the table, and the statements that are made of them."""
import datetime
import os
import re
import statistics
import subprocess

import rows


class Results:
    """All outcomes, by row and by what was measured."""

    def __init__(self):
        self.outcomes = {}

    def add(self, row, what, outcome):
        self.outcomes.setdefault((row, what), []).append(outcome)

    def failures(self):
        return ['%s, %s: %s' % (row, what, outcome.failure) for (row, what), found in self.outcomes.items()
                for outcome in found if outcome.failure]

    def failed(self):
        return bool(self.failures())

    def values(self, row, what, field='stop'):
        found = self.outcomes.get((row, what), [])
        return [getattr(o, field) for o in found if o.failure is None and getattr(o, field) is not None]

    def median(self, row, what, field='stop'):
        """None: it was not measured."""
        values = self.values(row, what, field)
        return statistics.median(values) if values else None


def number(value, form='%.2f'):
    return '–' if value is None else form % value


def ratio(value, to):
    return None if value is None or not to else value / to


def spread(results, row, what):
    """The median of the stop, and all between which it is one."""
    values = results.values(row, what)
    if not values:
        return '–'
    return '**%.2f** (%.2f–%.2f)' % (statistics.median(values), min(values), max(values))


# --- the tables -------------------------------------------------------------------------------------------------

def line(cells):
    return '| ' + ' | '.join(cells) + ' |\n'


def lines(head, body):
    return line(head) + line(['---'] * len(head)) + ''.join(line(cells) for cells in body)


def stops(results, picked, types):
    head = ['memory, files, rewritten, link'] + types + ['by hand', 'floor', 'to by hand', 'to floor']
    body = []
    for row in picked:
        ours, hand, floor = (results.median(row, what) for what in (types[0], 'by hand', 'floor'))
        body.append([str(row)] + [spread(results, row, what) for what in types + ['by hand', 'floor']]
                    + [number(ratio(ours, hand)), number(ratio(ours, floor))])
    return lines(head, body)


def totals(results, picked, types):
    head = ['memory, files, rewritten, link'] + types + ['by hand', '`rsync -a`', '`ssh cat`, MB/s']
    body = [[str(row)] + [number(results.median(row, what, 'total'), '%.1f') for what in types + ['by hand', 'rsync -a']]
            + [number(results.median(row, 'ssh cat', 'rate'), '%.0f')] for row in picked]
    return lines(head, body)


def restarts(results, picked):
    head = ['files', 'vzmigrate', 'rsync, stop, rsync, start', 'ratio']
    body = []
    for row in picked:
        ours, hand = (results.median(row, what, 'total') for what in ('offline', 'offline by hand'))
        body.append(['%d' % row.files, number(ours), number(hand), number(ratio(ours, hand))])
    return lines(head, body)


# --- the statements ---------------------------------------------------------------------------------------------

def statement(text, value, limit):
    if value is None:
        return '- %s: not measured in this run.\n' % text
    return '- %s: **%.2f** (at most %.2f: %s).\n' % (text, value, limit, 'holds' if value <= limit else 'does not hold')


def statements(results):
    def ours(row):
        return results.median(row, 'iterative')

    text = statement('Stop beside the recipe by hand, %s' % rows.MAIN, ratio(ours(rows.MAIN), results.median(rows.MAIN, 'by hand')), 0.10)
    text += statement('Stop beside the floor, %s' % rows.MAIN, ratio(ours(rows.MAIN), results.median(rows.MAIN, 'floor')), 3)
    for name, pairs in (('1 to 4 GiB', rows.MEMORY_GROWS), ('5,000 to 200,000 files', rows.FILES_GROW)):
        for small, large in pairs:
            text += statement('How much longer from %s, link %s' % (name, small.link), ratio(ours(large), ours(small)), 1.25)
    return text


# --- the machine ------------------------------------------------------------------------------------------------

def first_line(path, pattern):
    with open(path, encoding='utf-8') as f:
        found = re.search(pattern, f.read(), re.M)
    return found[1].strip() if found else 'unknown'


def machine(lab):
    """What it ran on, as (name, value) pairs."""
    def said(*command, pattern=r'([\d][\w.+:~-]*)'):
        found = re.search(pattern, lab.lab('x', 'A', *command, check=False))
        return found[1] if found else 'unknown'

    commit = subprocess.run(['git', 'describe', '--always', '--dirty'], capture_output=True, text=True, check=False)
    return [
        ('date', datetime.date.today().isoformat()),
        ('vzmigrate', said('vzmigrate', '--version') + (', ' + commit.stdout.strip() if commit.returncode == 0 else '')),
        ('CPU', '%s, %d cores' % (first_line('/proc/cpuinfo', r'^model name\s*:\s*(.*)$'), os.cpu_count())),
        ('memory', '%.0f GiB' % (int(first_line('/proc/meminfo', r'^MemTotal:\s*(\d+)')) / (1 << 20))),
        ('kernel', os.uname().release),
        ('load before', '%.2f' % os.getloadavg()[0]),
        ('criu', said('criu', '--version')),
        ('lxc', said('lxc-info', '--version')),
        ('rsync', said('rsync', '--version', pattern=r'version\s+([\w.]+)')),
        ('libssh', said('dpkg-query', '-W', '-f', '${Version}', 'libssh-4')),
        ('openssh', said('ssh', '-V', pattern=r'OpenSSH_([\w.]+)')),
    ]


INTRODUCTION = '''# Benchmark

Written by `make bench` (`scripts/bench`); `make bench BENCH=all` measures every row and replaces this file. Both
hosts are namespaces on one machine and share its processors, so a copy competes with the container and with its
own other end: ratios say more than seconds do.

Seconds; medians of %d, each measured in turn with the others, in parentheses the least and the most.

- *Stop*: how long a TCP client that only listens hears nothing (a container says something every two milliseconds).
- *By hand*: `scripts/recipe`: rsync, lxc-checkpoint, rsync, rsync of the images, restore.
- *Floor*: the same client while criu dumps and restores a container of 1 MiB on one host: nothing is copied.
- The memory is random and does not compress, but where a row says how much of each page is noise; so many MB/s of it
  are rewritten, in whole pages, scattered. After each move every page was verified.

'''


def report(results, picked, types, turns, machine_lines):
    live = [row for row in picked if not row.offline]
    restarted = [row for row in picked if row.offline]
    text = INTRODUCTION % turns
    text += lines(['machine', ''], machine_lines)
    if live:
        text += '\n## Stop\n\n' + stops(results, live, types)
        text += '\n## In all\n\n' + totals(results, live, types)
        text += '\n## What shall be true\n\n' + statements(results)
    if restarted:
        text += '\n## With a restart, in all\n\n' + restarts(results, restarted)
    if results.failed():
        text += '\n## Failed\n\n' + ''.join('- %s\n' % failure for failure in results.failures())
    return text
