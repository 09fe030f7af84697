#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""docs/windows.md against the code: its table of results is that of src/zc-backend-wasapi/errors.c, number by number.

    test_windows_doc.py --table      prints the table as it should be"""

import os
import re
import sys
import unittest

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
sys.path.insert(0, os.path.join(ROOT, 'tests'))
from support import tap  # noqa: E402

ERRORS = os.path.join(ROOT, 'src', 'zc-backend-wasapi', 'errors.c')
DOCUMENT = os.path.join(ROOT, 'docs', 'windows.md')

# Of Microsoft's audioclient.h and winerror.h. AUDCLNT_ERR(n) is 0x88890000 + n.
AUDCLNT = {
    'NOT_INITIALIZED': 0x01, 'ALREADY_INITIALIZED': 0x02, 'WRONG_ENDPOINT_TYPE': 0x03, 'DEVICE_INVALIDATED': 0x04,
    'NOT_STOPPED': 0x05, 'BUFFER_TOO_LARGE': 0x06, 'OUT_OF_ORDER': 0x07, 'UNSUPPORTED_FORMAT': 0x08, 'INVALID_SIZE': 0x09,
    'DEVICE_IN_USE': 0x0a, 'BUFFER_OPERATION_PENDING': 0x0b, 'THREAD_NOT_REGISTERED': 0x0c,
    'EXCLUSIVE_MODE_NOT_ALLOWED': 0x0e, 'ENDPOINT_CREATE_FAILED': 0x0f, 'SERVICE_NOT_RUNNING': 0x10,
    'EVENTHANDLE_NOT_EXPECTED': 0x11, 'EXCLUSIVE_MODE_ONLY': 0x12, 'BUFDURATION_PERIOD_NOT_EQUAL': 0x13,
    'EVENTHANDLE_NOT_SET': 0x14, 'INCORRECT_BUFFER_SIZE': 0x15, 'BUFFER_SIZE_ERROR': 0x16, 'CPUUSAGE_EXCEEDED': 0x17,
    'BUFFER_ERROR': 0x18, 'BUFFER_SIZE_NOT_ALIGNED': 0x19, 'INVALID_DEVICE_PERIOD': 0x20, 'RESOURCES_INVALIDATED': 0x26,
    'EFFECT_NOT_AVAILABLE': 0x41,
}
NUMBERS = {
    **{'AUDCLNT_E_' + name: 0x88890000 + number for name, number in AUDCLNT.items()},
    'ERROR_NOT_FOUND': 0x80070490, 'ERROR_FILE_NOT_FOUND': 0x80070002, 'ERROR_TIMEOUT': 0x800705b4,
    'REGDB_E_CLASSNOTREG': 0x80040154, 'CLASS_E_CLASSNOTAVAILABLE': 0x80040111, 'E_ACCESSDENIED': 0x80070005, 'E_OUTOFMEMORY': 0x8007000e,
    'E_NOTIMPL': 0x80004001, 'E_NOINTERFACE': 0x80004002, 'E_INVALIDARG': 0x80070057, 'E_POINTER': 0x80004003, 'E_FAIL': 0x80004005,
}
LITERAL = r'"(?:[^"\\]|\\.)*"'


def of_literals(text):
    """What a C compiler makes of adjacent literals."""
    return ''.join(re.findall(LITERAL, text)).replace('\\"', '\0').replace('"', '').replace('\0', '"')


def rows():
    """(name, meaning) as errors.c has them, in its order."""
    with open(ERRORS) as file:
        source = file.read()
    macros = {name: of_literals(text) for name, text in re.findall(rf'^#define (\w+) ({LITERAL})$', source, re.MULTILINE)}
    table = source[source.index('static const Row rows[]'):source.index('};\n\nstatic')]
    found = re.findall(rf'(?:ROW \((\w+)|"(\w+)"), (?:ZC_ERROR_\w+),\s+((?:{LITERAL}\s*)+|\w+)', table)
    return [(macro or name, macros.get(text) or of_literals(text)) for macro, name, text in found], macros['REPORT']


def expected():
    """The table's lines. What cannot happen unless we err shares one."""
    found, report = rows()
    lines = ['| result | name | what it means, and what to do |', '|---|---|---|']
    lines += [f'| `0x{NUMBERS[name]:08X}` | `{name}` | {meaning} |' for name, meaning in found if meaning != report]
    ours = ', '.join(f'`0x{NUMBERS[name]:08X}` {name}' for name, meaning in found if meaning == report)
    return lines, f'{ours}: {report}.'


def unwrapped(text):
    return ' '.join(text.split())


class WindowsDocument(unittest.TestCase):
    def test_all_rows_are_read(self):
        with open(ERRORS) as file:
            self.assertEqual(len(re.findall(r'\bZC_ERROR_\w+,', file.read().split('static const Row *')[0])), len(rows()[0]))

    def test_table_of_results(self):
        with open(DOCUMENT) as file:
            text = file.read()
        lines, ours = expected()
        self.assertIn('\n'.join(lines), text, 'as it should be: test_windows_doc.py --table')
        self.assertIn(unwrapped(ours), unwrapped(text))


if __name__ == '__main__':
    if '--table' in sys.argv:
        lines, ours = expected()
        print('\n'.join(lines), ours, sep='\n\n')
    else:
        tap.main()
