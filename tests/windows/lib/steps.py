# SPDX-License-Identifier: LGPL-2.1-or-later
"""Steps that fill a folder: each is done once, redone if it was interrupted or if what it is made of changed.

A step is finished when its stamp says so: a file with the key, a hash of everything that the step's result depends
on. A step that begins takes the stamp away.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import Callable

TELL_S = 10  # where there is no terminal: how often a long step says that it lives


class SetupError(Exception):
    """What went wrong and what to do, in words for the one who called."""


@dataclass
class Step:
    name: str
    title: str
    make: Callable  # called with the Cache
    made_of: str    # a text that changes when the result would
    needs: tuple    # names of steps before it, on whose results it builds


class Cache:
    """The folder, and the one line on the terminal that tells what goes on."""

    def __init__(self, path):
        self.path = os.path.abspath(path)
        self.log_path = self.of('setup.log')
        self.began = time.monotonic()
        self._detail = ''

    def of(self, *parts):
        return os.path.join(self.path, *parts)

    def fresh(self, *parts):
        """An empty folder of that name."""
        path = self.of(*parts)
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path)
        return path

    def remove(self, *names):
        for name in names:
            shutil.rmtree(self.of(name), ignore_errors=True)

    def detail(self, text):
        """What the step that runs does just now."""
        self._detail = text

    def run(self, *command, **options):
        """A program; its output is returned, and kept in the log. Where it fails, the error has its last words."""
        environment = os.environ | {'TMPDIR': self.of('tmp'), 'LC_ALL': 'C.UTF-8'}
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors='replace', check=False, env=environment, **options)
        with open(self.log_path, 'a', encoding='utf-8') as log:
            print('$', *command, '\n' + done.stdout, file=log)
        if done.returncode != 0:
            words = '\n    '.join(done.stdout.strip().splitlines()[-12:])
            raise SetupError(f'{os.path.basename(command[0])} failed with status {done.returncode}:\n    {words}\n'
                             f'The whole command is in {self.log_path}.')
        return done.stdout

    @contextlib.contextmanager
    def locked(self):
        """One set-up at a time in this folder; the lock ends with the process."""
        os.makedirs(self.of('tmp'), exist_ok=True)
        with open(self.of('lock'), 'w', encoding='utf-8') as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say(f'another set-up works in {self.path}: waiting for it')
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    # -- steps -------------------------------------------------------------------------------------------------------

    def _stamp(self, step):
        return self.of('stamps', step.name)

    def _is_done(self, step, key):
        try:
            with open(self._stamp(step), encoding='utf-8') as stamp:
                return stamp.read() == key
        except FileNotFoundError:
            return False

    def unfinished(self, steps):
        """(step, key) of those to do. All depend on where the folder is, too."""
        keys = {}
        for step in steps:
            parts = [self.path, step.name, step.made_of, *(keys[name] for name in step.needs)]
            keys[step.name] = hashlib.sha256('\n'.join(parts).encode()).hexdigest()
            if not self._is_done(step, keys[step.name]):
                yield step, keys[step.name]

    def make(self, steps):
        todo = list(self.unfinished(steps))
        os.makedirs(self.of('stamps'), exist_ok=True)
        for number, (step, key) in enumerate(todo, 1):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._stamp(step))
            with self._progress(f'[{number}/{len(todo)}] {step.title}'):
                step.make(self)
            with open(self._stamp(step), 'w', encoding='utf-8') as stamp:
                stamp.write(key)
        return len(todo)

    @contextlib.contextmanager
    def _progress(self, title):
        began = time.monotonic()
        over = threading.Event()
        self._detail = ''
        teller = threading.Thread(target=self._tell, args=(title, began, over), daemon=True)
        teller.start()
        outcome = 'failed after'
        try:
            yield
            outcome = 'done in'
        finally:
            over.set()
            teller.join()
            say(f'{title}: {outcome} {time.monotonic() - began:.0f} s')

    def _tell(self, title, began, over):
        """On a terminal one line that changes; elsewhere a line now and then."""
        terminal = sys.stdout.isatty()
        while not over.wait(0.3 if terminal else TELL_S):
            line = f'{title}: {time.monotonic() - began:.0f} s  {self._detail}'
            if terminal:
                width = shutil.get_terminal_size().columns - 1
                print('\r\033[K' + line[:width], end='', flush=True)
            else:
                say(line)


def say(text):
    print(('\r\033[K' if sys.stdout.isatty() else '') + text, flush=True)
