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


def kinds():
    """{KIND: the single kinds that it stands for} from the header."""
    header = (project / 'include/migration/steps.h').read_text()
    found = {}
    for name, value in re.findall(r'\b(KIND_\w+) = ([^,]+),', header):
        found[name] = {name} if '<<' in value else set().union(*(found[part.strip()] for part in value.split('|')))
    return found


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    phase: str
    status: int


def rows(mode):
    """The rows of the step table that this mode runs, in order."""
    table = (project / 'src/migration/steps.c').read_text()
    table = re.sub(r'\s+', ' ', table[table.index('const struct step steps[]'):])
    found = re.findall(r'\{ "([\w-]+)", (?:NULL|"[^"]*"), ([\w |]+), (PHASE_\w+), (EXIT_\w+), \w+ \}', table)
    assert len(found) == table[:table.index('};')].count('PHASE_'), 'a row of the step table was not understood'
    known = kinds()
    return [Row(name, phase if phase in (SWITCH, AFTER) else BEFORE, EXIT[status]) for name, kind, phase, status in found
            if any(MODES[mode] in known[part.strip()] for part in kind.split('|'))]


@dataclasses.dataclass(frozen=True)
class Cell:
    mode: str
    row: Row
    fault: faults.Fault
    statuses: frozenset
    owner: str			# 'source', 'destination' or 'either': where the container is in the end

    @property
    def name(self):
        return '%s, %s: %s' % (self.mode, self.row.name, self.fault.what)


# What a loss of the connection, of files or of criu may be called before the commit.
LOST = {EXIT['EXIT_CONNECT'], EXIT['EXIT_COPY']}
UNRESOLVED = EXIT['EXIT_UNRESOLVED']


def expectation(row, fault, restored):
    """(exit statuses, owner) of a row with a fault in it. `restored`: the destination holds the container, online."""
    # All is ready there, and the source asks for nothing more before its own commit.
    held = restored or row.name == 'commit'
    own = {row.status}
    if fault.kind == 'signal':
        return ({EXIT['EXIT_INTERRUPTED']}, 'source') if row.phase == BEFORE else ({0}, 'destination')
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
    if row.phase == BEFORE and not held:
        return statuses, 'either' if 0 in statuses else 'source'
    if fault.kills_source:
        if row.phase == BEFORE and not fault.at_end:
            return statuses, 'source'
        # An agent that holds nothing takes back what it did when it loses the source, and was told nothing.
        told = row.phase == AFTER or (row.phase == SWITCH and fault.at_end)
        return statuses, 'destination' if restored or told else 'either'
    if row.phase == BEFORE and fault.kind == 'fail' and not fault.at_end:
        return statuses, 'source'
    # A new agent may be asked, and go on; or the answer of the destination is lost for good.
    if row.phase != AFTER:
        return statuses | {0, UNRESOLVED, EXIT['EXIT_VE_START']}, 'either'
    return {0, UNRESOLVED}, 'destination'


# The cross-section for every day. Each row fails, and what changes something has its process killed (where offline is
# not the same as online). Beyond that: every fault in these rows, where the state of things is another than before;
THOROUGH = {'online': ('restore', 'resume'), 'restart': (), 'stopped': ()}
# and in the other rows these, by their columns.
SAMPLES = {'online': {'create': ('agent>',),
                      'copy-files': ('agent', 'rsync', 'cut', 'disk', 'hup'),
                      'prepare-switch': ('agent', 'tmpfs'),
                      'copy-memory': ('agent', 'images', 'cut', 'tmpfs', 'power-d'),
                      'final-round': ('images',),
                      'arm': ('src>', 'int', 'criu', 'lxc'),
                      'freeze': ('src>', 'int2', 'agent', 'criu', 'power'),
                      'dump': ('criu', 'lxc', 'hook', 'power-d'),
                      'copy-last': ('rsync-d', 'disk'),
                      'ready': ('int', 'agent', 'agent>', 'power-d'),
                      'await-dump': ('int', 'lxc-d', 'criu-d', 'cut'),
                      'copy-images': ('images', 'hook', 'tmpfs', 'power'),
                      'fence': ('agent', 'criu-d', 'hook', 'fill', 'guard'),
                      'commit': ('fill', 'fail>', 'src>', 'int2', 'agent', 'hook-d', 'cut', 'cut10', 'power', 'power-d'),
                      'resume': ('hup',),
                      'release': ('src>', 'criu', 'power', 'power-d'),
                      'fill': ('src>', 'agent', 'cut', 'hook', 'power', 'power-d'),
                      'finish': ('agent>', 'cut', 'disk', 'power', 'power-d'),
                      'retire': ('src>', 'power-d')},
           'restart': {'stop': ('int2', 'agent', 'cut', 'power', 'power-d'),
                       'commit': ('agent', 'cut', 'power-d', 'src>'),
                       'start': ('fail>', 'src>', 'agent', 'agent>', 'cut', 'power', 'power-d', 'int'),
                       'finish': ('agent', 'power')},
           'stopped': {'copy-files': ('cut', 'disk'),
                       'commit': ('agent', 'power'),
                       'hand-over': ('src>', 'agent>', 'cut', 'power')}}
HARMLESS = ('lock', 'find', 'connect', 'check')
RARELY = {'online': ('commit', 'resume'), 'restart': (), 'stopped': ()}


def everyday(mode, row, fault):
    if fault.rarely and row.name in RARELY[mode]:
        return True
    if row.name in THOROUGH[mode] and not fault.rarely and fault.kind != 'signal':
        return True
    if fault.column == 'fail':
        return mode == 'online' or row.name not in HARMLESS
    if fault.column == 'src':
        return row.name not in HARMLESS + (() if mode == 'online' else ('fence', 'place', 'copy-last', 'retire'))
    return fault.column in SAMPLES[mode].get(row.name, ())


def cells(mode, whole):
    """All cells of a mode; not `whole`: the cross-section."""
    restored = False
    for row in rows(mode):
        for fault in faults.FAULTS:
            if fault.fits(mode, row.name) and (whole or everyday(mode, row, fault)):
                statuses, owner = expectation(row, fault, restored)
                yield Cell(mode, row, fault, frozenset(statuses), owner)
        restored = restored or row.name == 'restore'
