#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The fault suite: after any failure at any moment the container runs exactly once, and nothing is lost or left.

fault.py [--whole] [--cells PATTERN]... [--seed N] [--kills N] [--list]

Each cell of the matrix (matrix.py) is one migration with one fault (faults.py), watched by a sampler (sampler.py),
settled by `vzmigrate --recover` and then looked at (checks.py). --whole: every cell; without it a cross-section.
PATTERN picks cells by name (fnmatch). --kills: so many more runs of the release build, each hit at a random moment
of --seed. VZMIGRATE_FAULT has more options. VZMIGRATE names the program (default: build/vzmigrate), the one with failure
points is build/fault/vzmigrate. The hosts are made anew; VZMIGRATE_LAB_KEEP leaves them. TAP on standard output. A cell that
fails is tried again (try_cell()).
"""
import argparse
import fnmatch
import os
import random
import shlex
import signal
import sys
import time

sys.dont_write_bytecode = True

import kills  # noqa: E402
import matrix  # noqa: E402
from cell import Lab  # noqa: E402
from hosts import project  # noqa: E402


def table(results):
    """Rows x columns, one word a cell: the exit status where all was right."""
    columns = []
    for result in results:
        if result.column not in columns:
            columns.append(result.column)
    lines = {}
    for result in results:
        lines.setdefault('%s %s' % (result.mode, result.row), {})[result.column] = result.word()
    width = max(len(name) for name in lines)
    yield ' ' * width + ''.join('%8s' % column for column in columns)
    for name, words in lines.items():
        yield name.ljust(width) + ''.join('%8s' % words.get(column, '') for column in columns)


def try_cell(lab, cell, number):
    """A machine that is short of time makes a cell fail now and then: one that failed is tried twice more, on hosts
    made anew, and must be right both times; what was wrong is printed all the same. Two copies that ran are never
    forgiven."""
    first = lab.run(cell, number)
    if first.ok or first.unforgivable:
        return first
    again = [lab.run(cell, number) for _ in range(2)]
    wrong = [result for result in again if not result.ok]
    if wrong:
        return wrong[0]
    print('# %s: wrong at first: %s' % (cell.name, '\n'.join((first.why, *first.account)).replace('\n', '\n# ')), flush=True)
    again[0].name += ' (at the second and third time)'
    again[0].unsteady = True
    return again[0]


def main():
    options = argparse.ArgumentParser(usage=__doc__)
    options.add_argument('--whole', action='store_true')
    options.add_argument('--cells', action='append')
    options.add_argument('--seed', type=int, default=random.randrange(1 << 32))
    options.add_argument('--kills', type=int, default=12)
    options.add_argument('--list', action='store_true')
    arguments = options.parse_args(sys.argv[1:] + shlex.split(os.environ.get('VZMIGRATE_FAULT', '')))
    wanted = [cell for mode in matrix.MODES for cell in matrix.cells(mode, arguments.whole)]
    wanted += kills.cells(arguments.kills, arguments.seed)
    patterns = arguments.cells or ['*']
    wanted = [cell for cell in wanted if any(fnmatch.fnmatchcase(cell.name, pattern) for pattern in patterns)]
    if arguments.list:
        print('\n'.join(cell.name for cell in wanted))
        return 0
    # However it ends, the hosts are taken down.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit('fault.py: ended by a signal'))
    print('1..%d' % (len(wanted) + 1), flush=True)
    print('# seed %d' % arguments.seed, flush=True)
    programs = {False: project / 'build/fault/vzmigrate', True: os.environ.get('VZMIGRATE', project / 'build/vzmigrate')}
    lab = Lab(programs, arguments.seed)
    results = []
    began = time.monotonic()
    try:
        results.append(lab.self_test())
        results[-1].report(1)
        for number, cell in enumerate(wanted, 2):
            results.append(try_cell(lab, cell, number))
            results[-1].report(number)
    finally:
        lab.close()
    bad = [r for r in results if not r.ok]
    for line in table(results[1:]):
        print('# ' + line)
    print('# %d cells, %d failed, %d wrong at first, %.0f s; seed %d' % (
        len(results) - 1, len(bad), sum(r.unsteady for r in results), time.monotonic() - began, arguments.seed))
    print('# the sampler looked %d times, at the longest after %.0f ms' % (
        sum(r.samples for r in results), max(r.longest for r in results)))
    for result in bad:
        print('# failed: %s: %s' % (result.name, result.why))
    return 1 if bad else 0


sys.exit(main())
