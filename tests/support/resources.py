# SPDX-License-Identifier: LGPL-2.1-or-later
"""What this process holds: descriptors, threads, heap. Two snapshots tell what leaked between them."""

import ctypes
import dataclasses
import gc
import os
import sys


class _Mallinfo2(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in (
        'arena', 'ordblks', 'smblks', 'hblks', 'hblkhd', 'usmblks', 'fsmblks', 'uordblks', 'fordblks', 'keepcost')]


_libc = ctypes.CDLL(None)
_libc.mallinfo2.restype = _Mallinfo2


@dataclasses.dataclass(frozen=True)
class Resources:
    descriptors: int
    threads: int
    heap_bytes: int
    mapped_bytes: int
    resident_bytes: int

    def __sub__(self, other):
        return Resources(*(a - b for a, b in zip(dataclasses.astuple(self), dataclasses.astuple(other))))


_TUNABLES = 'glibc.malloc.tcache_count=0'


def count_exactly():
    """Begins the program anew with a malloc that keeps nothing by thread: what the many short threads of a long run leave
    there (PipeWire starts one for each stream) looks held."""
    if os.environ.get('GLIBC_TUNABLES') != _TUNABLES:
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, 'GLIBC_TUNABLES': _TUNABLES})


def snapshot():
    """Python's garbage is collected first: what is counted is what somebody still holds."""
    gc.collect()
    info = _libc.mallinfo2()
    with open('/proc/self/statm') as statm:
        pages = [int(word) for word in statm.read().split()]
    page = os.sysconf('SC_PAGE_SIZE')
    return Resources(len(os.listdir('/proc/self/fd')), threads(), info.uordblks + info.hblkhd,
                     pages[0] * page, pages[1] * page)


def threads():
    return len(os.listdir('/proc/self/task'))


def descriptor_names():
    """What each of them is, for messages."""
    names = []
    for descriptor in sorted(os.listdir('/proc/self/fd'), key=int):
        try:
            names.append(os.readlink(f'/proc/self/fd/{descriptor}'))
        except OSError:  # the listing's own
            pass
    return names
