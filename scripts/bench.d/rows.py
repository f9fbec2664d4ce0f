# SPDX-License-Identifier: GPL-2.0-or-later
"""The rows of the benchmark: alone responsible for what is varied, and for the names of rows and types."""
import dataclasses
import re

# How memory moves: the options of each type.
TYPES = {'iterative': [], 'noiter': ['--noiter'], 'lazy': ['--lazy'], 'lazy-noiter': ['--lazy', '--noiter']}


class Unknown(Exception):
    """A word of the command line that means nothing."""


@dataclasses.dataclass(frozen=True)
class Row:
    memory: int  # MiB, random
    files: int
    dirty: int  # MB/s of the memory rewritten, whole pages, scattered
    link: str = 'unlimited'
    offline: bool = False  # moved with a restart instead
    noise: int = 100  # per cent of each page that cannot be compressed

    def __str__(self):
        if self.offline:
            return '%d files, restart' % self.files
        text = '%d MiB, %d files, %d MB/s, %s' % (self.memory, self.files, self.dirty, self.link)
        return text if self.noise == 100 else '%s, %d%% noise' % (text, self.noise)


# The one by which the stop is judged beside the recipe and the floor.
MAIN = Row(1024, 50000, 20)
# Pairs between which the stop may hardly grow, each with the link as it is and slow.
LINKS = ('unlimited', '1gbit')
MEMORY_GROWS = [(Row(1024, 5000, 20, link), Row(4096, 5000, 20, link)) for link in LINKS]
FILES_GROW = [(Row(256, 5000, 20, link), Row(256, 200000, 20, link)) for link in LINKS]

GROUPS = {
    'quick': [Row(64, 5000, 20), Row(1024, 5000, 20)],
    'main': [MAIN],
    'memory': [Row(memory, 5000, 20) for memory in (64, 256, 1024, 4096)],
    'files': [Row(256, files, 20) for files in (1000, 5000, 50000, 200000)],
    'dirty': [Row(1024, 5000, dirty) for dirty in (0, 20, 50, 100)],
    'link': [row for pair in MEMORY_GROWS[1:] + FILES_GROW[1:] for row in pair],
    'compressible': [Row(1024, 5000, 20, link, noise=noise) for link in LINKS for noise in (100, 30)],
    'offline': [Row(64, 20000, 4, offline=True)],
}


def pick(groups, own):
    """The rows of these groups and own ones ("MB:FILES:DIRTY:LINK[:NOISE]"), each once."""
    found = []
    for group in groups:
        if group == 'all':
            found += [row for name in ('main', 'memory', 'files', 'dirty', 'link', 'compressible', 'offline') for row in GROUPS[name]]
        elif group in GROUPS:
            found += GROUPS[group]
        else:
            raise Unknown("no group '%s' (%s, all)" % (group, ', '.join(GROUPS)))
    for text in own:
        match = re.fullmatch(r'(\d+):(\d+):(\d+):(\w+)(?::(\d+))?', text)
        if not match:
            raise Unknown("'%s' is not MB:FILES:DIRTY:LINK[:NOISE]" % text)
        found.append(Row(int(match[1]), int(match[2]), int(match[3]), match[4], noise=int(match[5] or 100)))
    return list(dict.fromkeys(found))


def types_of(words, groups):
    for word in words:
        if word not in TYPES:
            raise Unknown("no type '%s' (%s)" % (word, ', '.join(TYPES)))
    return words or (['iterative'] if groups == ['quick'] else list(TYPES))
