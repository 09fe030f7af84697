# SPDX-License-Identifier: LGPL-2.1-or-later
"""unittest -> TAP, so that every Python test program is a meson `test(protocol: 'tap')`.

Each result is one line, flushed at once: a program that is killed half-way still shows what it had proved.
A failure's text follows its line as `# ` diagnostics.
"""

import signal
import sys
import unittest


class TapResult(unittest.TestResult):
    """Prints one TAP line per test, as soon as the test has ended."""

    def __init__(self, out=sys.stdout):
        super().__init__()
        self.out = out
        self.count = 0
        self._failed_subtests = []

    def addSuccess(self, test):
        super().addSuccess(test)
        self._line(True, test)

    def addError(self, test, err):
        super().addError(test, err)
        self._line(False, test, text=self.errors[-1][1])

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._line(False, test, text=self.failures[-1][1])

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._line(True, test, directive='SKIP ' + ' '.join(reason.split()))

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self._line(False, test, directive='TODO expected to fail')

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self._line(False, test, text='succeeded, but was expected to fail')

    def addSubTest(self, test, subtest, err):
        """A subtest is a diagnostic of its test, not a test of its own: the plan was printed before it existed."""
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._failed_subtests.append(f'{subtest}\n{self._exc_info_to_string(err, test)}')

    def stopTest(self, test):
        super().stopTest(test)
        if self._failed_subtests:
            self._line(False, test, text='\n'.join(self._failed_subtests))
            self._failed_subtests = []

    def note(self, text):
        """Diagnostics: what a test measured is worth reading when it passes, too."""
        for line in str(text).rstrip().splitlines():
            print('#', line, file=self.out, flush=True)

    def _line(self, ok, test, directive=None, text=None):
        self.count += 1
        name = _name(test)
        tail = f' # {directive}' if directive else ''
        print(f"{'ok' if ok else 'not ok'} {self.count} - {name}{tail}", file=self.out, flush=True)
        if text:
            self.note(text)


def _name(test):
    """`Class.method`; what failed before any test ran (setUpClass) has its own description."""
    parts = test.id().split('.')
    name = '.'.join(parts[-2:]) if hasattr(test, '_testMethodName') else str(test)
    return name.replace('#', ' ')


def note(text):
    """A diagnostic line from inside a test."""
    for line in str(text).rstrip().splitlines():
        print('#', line, flush=True)


def cases(table):
    """Class decorator: for each `check_NAME(self, *args)` and each (label, args) a `test_NAME_label` of its own.

    Each case is then one TAP line, can be run alone by its name, and does not hide behind another's failure."""
    def decorate(cls):
        for attribute in [name for name in dir(cls) if name.startswith('check_')]:
            for label, args in table:
                _add_case(cls, attribute, label, args)
        return cls
    return decorate


def _add_case(cls, attribute, label, args):
    def test(self):
        getattr(self, attribute)(*args)
    test.__name__ = f"test_{attribute[len('check_'):]}_{label}"
    test.__doc__ = getattr(cls, attribute).__doc__
    setattr(cls, test.__name__, test)


def main(module='__main__', argv=None):
    """Runs the module's tests (or those named in argv, as unittest does) and exits 0 only if none failed."""
    _unwind_on(signal.SIGTERM)
    argv = sys.argv[1:] if argv is None else argv
    loader = unittest.TestLoader()
    suite = loader.loadTestsFromNames(argv, sys.modules[module]) if argv \
        else loader.loadTestsFromModule(sys.modules[module])
    result = TapResult()
    print(f'1..{suite.countTestCases()}', flush=True)
    try:
        suite.run(result)
    except KeyboardInterrupt:
        print('Bail out! interrupted', flush=True)
        sys.exit(130)
    sys.exit(0 if result.wasSuccessful() else 1)


def _unwind_on(signum):
    """A test runner's SIGTERM must run the `finally`s that end servers, as Ctrl-C does."""
    def unwind(_signum, _frame):
        raise KeyboardInterrupt
    signal.signal(signum, unwind)
