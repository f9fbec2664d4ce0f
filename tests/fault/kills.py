# SPDX-License-Identifier: GPL-2.0-or-later
"""Kills from outside, at random moments, of the program as it is released: what no named row would find."""
import random
import time

import faults
import matrix

# About as long as a migration of the suite's container takes.
SPAN = 3.0
VICTIMS = (('the source', 'source', faults.source_process), ('the agent', 'destination', faults.agent_process),
           *((name, side, matches) for side in ('source', 'destination')
             for name, matches in (('criu', faults.named('criu')), ('lxc-checkpoint', faults.lxc_checkpoint),
                                   ('rsync', faults.named('rsync')))),
           ('the hook', 'source', faults.hook_process), ('the hook', 'destination', faults.hook_process))
HOSTS = ('source loses its power', 'destination loses its power', 'link is cut')


def hit(moment, generator):
    """At that moment one of what there is: a process of the program or of its tools, a host, or the link."""
    def do(run):
        run.start()
        time.sleep(moment)
        found = [(name, side, process) for name, side, matches in VICTIMS
                 for process in faults.eldest(getattr(run, side), matches)]
        choice = generator.randrange(len(found) + len(HOSTS))
        if choice < len(found):
            name, side, process = found[choice]
            process.kill()
            run.hit = '%s on the %s' % (name, side)
            return
        run.hit = HOSTS[choice - len(found)]
        if run.hit.startswith('source'):
            run.crash(run.source)
            run.wait()
            run.agents_end()
            run.source.boot()
        elif run.hit.startswith('destination'):
            run.crash(run.destination)
            run.cure(run.destination.boot)
        else:
            run.destination.cut()
            run.cure(run.destination.mend)
    return do


def cells(count, seed):
    generator = random.Random(seed)
    modes = tuple(matrix.MODES)
    anything = frozenset(matrix.EXIT.values()) | {matrix.KILLED}
    for number in range(count):
        # Online is where most can go wrong.
        mode = 'online' if number % 4 else modes[1 + number // 4 % 2]
        moment = generator.uniform(0, SPAN)
        fault = faults.Fault('something is killed', 'random', 'any', hit(moment, generator), release_build=True, unclean=True)
        yield matrix.Cell(mode, matrix.Row('after %.3f s' % moment, matrix.BEFORE, 0), fault, anything, 'either')
