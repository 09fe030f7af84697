# SPDX-License-Identifier: LGPL-2.1-or-later
"""glibconfig.h for 64-bit Windows, from GLib's own template: Debian's is for Linux, and the wheels have none."""

import re

from .steps import SetupError

DEFINED = {'G_ATOMIC_LOCK_FREE': '', 'G_HAVE_GROWING_STACK': ' 0'}

VALUES = {
    'glib_os': '#define G_OS_WIN32\n#define G_PLATFORM_WIN32',
    'glib_vacopy': '#define G_VA_COPY va_copy',
    'g_threads_impl_def': 'WIN32',
    'glib_extension': 'G_GNUC_EXTENSION ',
    # long has 32 bits, long long and pointers 64
    'gint16': 'short', 'gint16_modifier': '"h"', 'gint16_format': '"hi"', 'guint16_format': '"hu"',
    'gint32': 'int', 'gint32_modifier': '""', 'gint32_format': '"i"', 'guint32_format': '"u"',
    'gint64': 'long long', 'gint64_modifier': '"ll"', 'gint64_format': '"lli"', 'guint64_format': '"llu"',
    'gint64_constant': '(G_GNUC_EXTENSION (val##LL))', 'guint64_constant': '(G_GNUC_EXTENSION (val##ULL))',
    'glib_void_p': '8', 'glib_long': '4', 'glib_size_t': '8', 'glib_ssize_t': '8',
    'glib_size_type_define': 'long long', 'glib_msize_type': 'INT64',
    'gsize_modifier': '"ll"', 'gssize_modifier': '"ll"', 'gsize_format': '"llu"', 'gssize_format': '"lli"',
    'glib_intptr_type_define': 'long long', 'gintptr_modifier': '"ll"', 'gintptr_format': '"lli"',
    'guintptr_format': '"llu"', 'glib_gpi_cast': '(gint64)', 'glib_gpui_cast': '(guint64)',
    'glongbits': '32', 'gintbits': '32', 'gsizebits': '64',
    'g_bs_native': 'LE', 'g_bs_alien': 'BE', 'g_byte_order': 'G_LITTLE_ENDIAN',
    'g_pollfd_format': '"%#llx"', 'g_pid_type': 'void*', 'g_pid_format': '"p"', 'g_module_suffix': 'dll',
    'g_dir_separator': '\\\\', 'g_searchpath_separator': ';',
    # winsock2.h, but poll: that GLib does itself
    'g_pollin': '1', 'g_pollout': '4', 'g_pollpri': '2', 'g_pollhup': '16', 'g_pollerr': '8', 'g_pollnval': '32',
    'g_af_unix': '1', 'g_af_inet': '2', 'g_af_inet6': '23',
    'g_msg_oob': '1', 'g_msg_peek': '2', 'g_msg_dontroute': '4',
}


def filled(template, version):
    """`version`: of GLib, as "2.84.4"."""
    major, minor, micro = version.split('.')
    values = VALUES | {'GLIB_MAJOR_VERSION': major, 'GLIB_MINOR_VERSION': minor, 'GLIB_MICRO_VERSION': micro}

    def define(match):
        name = match.group(1)
        return f'#define {name}{DEFINED[name]}' if name in DEFINED else f'/* #undef {name} */'

    def value(match):
        if match.group(1) not in values:
            raise SetupError(f'GLib {version} wants to know @{match.group(1)}@ of Windows: tell it in {__file__}')
        return values[match.group(1)]

    return re.sub(r'@(\w+)@', value, re.sub(r'^#mesondefine (\w+)', define, template, flags=re.MULTILINE))
