#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Five seconds of what this computer plays: the level of every second, then the statistics.

    ./embed.py [PROPERTY=VALUE ...]           for example: ./embed.py device=my-sink
"""

import sys

import gi

gi.require_version('Gst', '1.0')
from gi.repository import Gst  # noqa: E402


def main(properties):
    Gst.init(None)
    pipeline = Gst.parse_launch(f'zcloopbacksrc name=capture num-buffers=500 {" ".join(properties)} '
                                '! level interval=1000000000 ! fakesink')
    pipeline.set_state(Gst.State.PLAYING)
    wanted = Gst.MessageType.ELEMENT | Gst.MessageType.ERROR | Gst.MessageType.EOS
    while (message := pipeline.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE, wanted)).type \
            == Gst.MessageType.ELEMENT:
        if message.has_name('level') and message.get_structure().get_value('duration'):
            print('  '.join(f'{rms:6.1f} dBFS' for rms in message.get_structure().get_value('rms')))
    failed = message.type == Gst.MessageType.ERROR
    stats = pipeline.get_by_name('capture').get_property('stats')
    pipeline.set_state(Gst.State.NULL)
    print(message.parse_error().gerror.message if failed else stats.to_string())
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
