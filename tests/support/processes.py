# SPDX-License-Identifier: LGPL-2.1-or-later
"""Child processes that cannot outlive the test that started them.

Each is in a process group of its own (Ctrl-C reaches the test first, which then ends its children in order), and the
kernel kills it if the test itself is killed."""

import contextlib
import ctypes
import os
import signal
import subprocess

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent():
    os.setpgid(0, 0)
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def start(argv, **options):
    """Popen; call it from a thread that lives as long as the child should (the kernel watches the *thread*)."""
    return subprocess.Popen(argv, preexec_fn=_die_with_parent, **options)


def run(argv, seconds, **options):
    """subprocess.run with text output and a bound; kills the child at the bound."""
    with started(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options) as child:
        out, err = child.communicate(timeout=seconds)
    return subprocess.CompletedProcess(argv, child.returncode, out, err)


@contextlib.contextmanager
def started(argv, **options):
    child = start(argv, **options)
    try:
        yield child
    finally:
        end(child)


def end(child, grace_s=3):
    """SIGTERM, then SIGKILL after the grace; a stopped process is continued first. Safe to call twice."""
    if child.poll() is None:
        child.send_signal(signal.SIGTERM)
        child.send_signal(signal.SIGCONT)
        try:
            child.wait(grace_s)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    for pipe in (child.stdin, child.stdout, child.stderr):
        if pipe:
            pipe.close()


def text_of(*paths):
    """What a child wrote to these files, the one after the other."""
    text = ''
    for path in paths:
        with open(path, encoding='utf-8', errors='replace') as file:
            text += file.read()
    return text
