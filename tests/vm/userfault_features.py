#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""userfault_features.py BIT: "yes" or "no": has this kernel's userfaultfd the feature of that number?"""
import ctypes
import fcntl
import os
import sys

SYS_USERFAULTFD = 323  # x86_64
UFFD_USER_MODE_ONLY = 1
UFFDIO_API = 0xc018aa3f
UFFD_API = 0xaa

libc = ctypes.CDLL(None, use_errno=True)
descriptor = libc.syscall(SYS_USERFAULTFD, os.O_CLOEXEC | UFFD_USER_MODE_ONLY)
if descriptor < 0:
    sys.exit('userfaultfd: ' + os.strerror(ctypes.get_errno()))
answer = bytearray(UFFD_API.to_bytes(8, 'little') + bytes(16))
fcntl.ioctl(descriptor, UFFDIO_API, answer, True)
print('yes' if int.from_bytes(answer[8:16], 'little') >> int(sys.argv[1]) & 1 else 'no')
