# SPDX-License-Identifier: GPL-2.0-or-later
"""The matrix: rows of the step table (read from the source itself) x faults, and what must come of each.

Before the source's journal says committed the container stays where it was, with the exit status of the row or of
what was lost; after it, it is on the destination, or the status is 110 and --recover brings it there. Each cell names
the exit statuses that are right for it; checks.py has what must be true whatever the status is.
"""
import dataclasses
import re

import faults
from hosts import project

MODES = {'online': 'KIND_ONLINE', 'restart': 'KIND_RESTART', 'stopped': 'KIND_STOPPED'}
KINDS = {'KIND_ANY': tuple(MODES), 'KIND_RUNNING': ('online', 'restart'), 'KIND_SHUTDOWN': ('restart',),
         'KIND_LEFT': ('stopped',), **{kind: (mode,) for mode, kind in MODES.items()}}
# What the shell in scripts/lab makes of SIGKILL.
KILLED = 128 + 9
BEFORE, SWITCH, AFTER = 'PHASE_BEFORE', 'PHASE_SWITCH', 'PHASE_AFTER'


def exit_statuses():
    header = (project / 'include/base/error.h').read_text()
    return {name: int(number) for name, number in re.findall(r'\b(EXIT_\w+) = (\d+)', header)}


EXIT = exit_statuses()


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    phase: str
    status: int


def rows(mode):
    """The rows of the step table that this mode runs, in order."""
    table = (project / 'src/migration/steps.c').read_text()
    table = re.sub(r'\s+', ' ', table[table.index('const struct step steps[]'):])
    found = re.findall(r'\{ "([\w-]+)", (?:NULL|"[^"]*"), (KIND_\w+), (PHASE_\w+), (EXIT_\w+), \w+ \}', table)
    assert len(found) == table[:table.index('};')].count('PHASE_'), 'a row of the step table was not understood'
    return [Row(name, phase, EXIT[status]) for name, kind, phase, status in found if mode in KINDS[kind]]


@dataclasses.dataclass(frozen=True)
class Cell:
    mode: str
    row: Row
    fault: faults.Fault
    statuses: frozenset
    owner: str			# 'source', 'destination' or 'either': where the container is in the end
    unknown: bool = False	# no journal was begun: after a loss of power nobody knows that there was a migration

    @property
    def name(self):
        return '%s, %s: %s' % (self.mode, self.row.name, self.fault.what)


# What a loss of the connection, of files or of criu may be called before the commit.
LOST = {EXIT['EXIT_CONNECT'], EXIT['EXIT_COPY']}
UNRESOLVED = EXIT['EXIT_UNRESOLVED']


def expectation(row, fault):
    """(exit statuses, owner) of a row with a fault in it."""
    own = {row.status}
    if fault.kills_source:
        statuses = {KILLED}
    elif fault.kind == 'fail':
        statuses = own
    elif fault.kind == 'survive':
        statuses = {0}
    elif fault.kind == 'room':
        # A check may have seen it; what needs no room goes on.
        statuses = own | {0, EXIT['EXIT_COPY'], EXIT['EXIT_VE_START'], EXIT['EXIT_DISK_SPACE'], EXIT['EXIT_RUNTIME']}
    elif fault.kind == 'tool':
        statuses = own | {0, EXIT['EXIT_VE_STOP'], EXIT['EXIT_VE_START'], EXIT['EXIT_COPY']}
    else:
        statuses = own | LOST
    if row.phase == BEFORE and row.name != 'commit':
        return statuses, 'either' if 0 in statuses else 'source'
    if fault.kills_source:
        return statuses, 'source' if row.phase == BEFORE else 'destination'
    if row.phase == BEFORE:
        return statuses | {UNRESOLVED}, 'either' if fault.kind != 'fail' else 'source'
    if row.phase == SWITCH:
        return {0, UNRESOLVED, EXIT['EXIT_VE_START']}, 'either'
    return {0, UNRESOLVED}, 'destination'


# The cross-section for every day. Each row of each mode fails, and has its process killed under it. Beyond that:
# every fault in these rows, where the state of things is another than in the row before;
THOROUGH = {'online': ('copy-files', 'freeze', 'restore', 'resume'), 'restart': ('stop', 'start'), 'stopped': ('hand-over',)}
# and in the other rows these, by their columns.
SAMPLES = {'online': {'copy-last': ('agent', 'rsync', 'rsync-d', 'criu', 'cut', 'disk', 'power-d'),
                      'copy-images': ('agent', 'rsync', 'rsync-d', 'hook', 'tmpfs', 'cut', 'power'),
                      'place': ('agent', 'agent>', 'lxc', 'disk', 'power-d'),
                      'fence': ('agent', 'criu', 'criu-d', 'hook', 'hook-d', 'lxc-d', 'cut', 'power', 'power-d'),
                      'commit': ('fail>', 'src>', 'agent', 'criu', 'hook-d', 'criu-d', 'cut1', 'cut', 'cut10', 'disk', 'power',
                                 'power-d'),
                      'release': ('agent', 'criu', 'hook', 'lxc', 'cut', 'power', 'power-d', 'fail>', 'src>'),
                      'finish': ('fail>', 'agent', 'agent>', 'cut1', 'cut', 'disk', 'power', 'power-d'),
                      'retire': ('src>', 'cut', 'power', 'power-d'),
                      'prepare-switch': ('agent', 'agent>', 'tmpfs'), 'create': ('agent', 'agent>', 'disk')},
           'restart': {'copy-last': ('agent', 'cut', 'power'), 'commit': ('agent', 'cut', 'power', 'power-d', 'src>'),
                       'finish': ('agent', 'agent>', 'cut', 'power', 'power-d')},
           'stopped': {'copy-files': ('cut', 'disk'), 'commit': ('agent', 'cut', 'power', 'power-d')}}
EVERYWHERE = ('fail', 'src')
RARELY = ('commit', 'resume', 'start')


def everyday(mode, row, fault):
    if fault.rarely and row.name in RARELY:
        return True
    return (fault.column in EVERYWHERE or (row.name in THOROUGH[mode] and not fault.rarely) or
            fault.column in SAMPLES[mode].get(row.name, ()))


def cells(mode, whole):
    """All cells of a mode; not `whole`: the cross-section."""
    begun = False
    for row in rows(mode):
        for fault in faults.FAULTS:
            if fault.fits(mode, row.name) and (whole or everyday(mode, row, fault)):
                statuses, owner = expectation(row, fault)
                yield Cell(mode, row, fault, frozenset(statuses), owner, not begun)
        begun = begun or row.name == 'create'
