# SPDX-License-Identifier: LGPL-2.1-or-later
"""A test with a directory and servers of its own, so that none inherits another's."""

import os
import shutil
import tempfile
import unittest

from . import servers


class PrivateTest(unittest.TestCase):
    prefix = 'zc-'

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix=self.prefix)
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.directory, name)

    def enter(self, context):
        """`with` for the rest of the test."""
        value = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        return value

    def enter_server(self, server):
        try:
            return self.enter(server)
        except servers.Unavailable as reason:
            self.skipTest(str(reason))
