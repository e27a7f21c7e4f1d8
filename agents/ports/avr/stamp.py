#!/usr/bin/env python3
"""
Write the build id into an AVR image: SHA-1 of the file while the id is still zero.

ld 2.26 cannot (its --build-id and its jump stubs share a file and spoil each other), so
build_note.c reserves an ELF build-id note and this fills it in.

usage: stamp.py IN.elf OUT.elf
"""
import hashlib
import struct
import sys

NOTE = struct.pack('<III', 4, 20, 3) + b'GNU\0'


def main():
    image = open(sys.argv[1], 'rb').read()
    blank = NOTE + bytes(20)
    if image.count(blank) != 1:
        raise SystemExit(f'{sys.argv[1]}: {image.count(blank)} blank build-id notes, not 1')
    stamped = image.replace(blank, NOTE + hashlib.sha1(image).digest())
    open(sys.argv[2], 'wb').write(stamped)


if __name__ == '__main__':
    main()
