#!/usr/bin/env python3
"""Images of boards that no emulator has, looked at as their chip would at power-on.

usage: check_real.py SOURCE BUILD NAME...

For each: the board file's memory is the linker's; every loaded byte lies in the part's flash and
before the slot; the vector table is where the core looks, its stack pointer in RAM, its handlers
Thumb code of the image, the link's interrupt at its number; the boot ROM's checksum is right.
"""
import re
import struct
import sys

source, build, names = sys.argv[1], sys.argv[2], sys.argv[3:]
UNITS = {"": 1, "KiB": 1024, "MiB": 1 << 20}


def fail(name, text):
    print(f"{name}: {text}")
    sys.exit(1)


class Elf:
    def __init__(self, path):
        self.bytes = open(path, "rb").read()
        (self.entry, phoff, shoff, _, _, phsize, phnum, shsize, shnum, _) = struct.unpack_from(
            "<IIIIHHHHHH", self.bytes, 24)
        self.loads = []  # (where it is loaded, where it runs, bytes)
        for i in range(phnum):
            kind, offset, at, load, size, memory = struct.unpack_from("<6I", self.bytes,
                                                                      phoff + i * phsize)
            if kind == 1:
                self.loads.append((load, at, self.bytes[offset:offset + size], memory))
        self.symbols = {}
        for i in range(shnum):
            _, kind, _, _, offset, size, link, _, _, entry = struct.unpack_from(
                "<10I", self.bytes, shoff + i * shsize)
            if kind == 2:
                strings = struct.unpack_from("<10I", self.bytes, shoff + link * shsize)[4]
                for k in range(offset, offset + size, entry):
                    text, value = struct.unpack_from("<II", self.bytes, k)
                    end = self.bytes.index(b"\0", strings + text)
                    self.symbols[self.bytes[strings + text:end].decode()] = value

    def read(self, at, n):
        for load, _, data, _ in self.loads:
            if load <= at and at + n <= load + len(data):
                return data[at - load:at - load + n]
        return None


def board_file(name):
    text = open(f"{source}/targets/boards/{name}.yaml").read()
    found = {}
    for key, base, number, unit in re.findall(
            r"^(flash|ram|slot): \{base: (\w+), size: (\d+)(\w*)", text, re.M):
        found[key] = (int(base, 0), int(number) * UNITS[unit])
    agent = re.search(r"^agent: (\S+)", text, re.M).group(1)
    if not re.search(r"not yet run on silicon", text):
        fail(name, "its board file does not say that it has not run on silicon")
    return found, agent


def vectors(name, elf, flash, ram, first):
    table = elf.read(first, 16 * 4)
    if table is None:
        fail(name, f"no vector table at {first:#x}")
    words = struct.unpack("<16I", table)
    if words[0] % 8 != 0 or not ram[0] < words[0] <= ram[0] + ram[1]:
        fail(name, f"stack pointer {words[0]:#x}")
    if words[0] != elf.symbols["port_stack_top"] or words[1] != elf.symbols["reset_handler"] | 1:
        fail(name, "stack or reset handler is not the image's")
    if any(w % 2 == 0 or not first < w < flash[0] + flash[1] for w in words[1:]):
        fail(name, "a handler is no Thumb code in flash")
    number = 16
    while struct.unpack("<I", elf.read(first + 4 * number, 4))[0] != elf.symbols["uart_irq"] | 1:
        number += 1
        if number == 256:
            fail(name, "no vector is the link's")
    return number - 16


def crc32_mpeg2(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04c11db7 if crc >> 31 else 0)) & 0xffffffff
    return crc


# Board, where the core looks for vectors (None: no table), interrupt of the link.
EXPECTED = {
    "nucleo-f446re": (0x08000000, 38), "nucleo-l4r5zi": (0x08000000, 70),
    "nucleo-h743zi": (0x08000000, 39), "nucleo-u575zi-q": (0x08000000, 61),
    "ek-ra8d1": (0x02000000, 0), "nrf52840dk": (0, 2), "nano33ble": (0x10000, 2),
    "pico": (0x10000100, 20), "hifive1": (None, None), "esp32c3-devkitm-1": (None, None),
}
# Where constants are read that lie in the flash at the same offset.
DATA_WINDOWS = {"esp32c3-devkitm-1": 0x3c000000}
# Bytes that the boot ROM wants to see before it jumps behind them.
HEADERS = {"esp32c3-devkitm-1": struct.pack("<II", 0xaedb041d, 0xaedb041d)}
FILES = {"esp32c3": "esp32c3-devkitm-1"}

for name in names:
    name = FILES.get(name, name)
    memory, agent = board_file(name)
    flash, ram, slot = memory["flash"], memory["ram"], memory["slot"]
    slot_in_flash = flash[0] <= slot[0] < sum(flash)
    end = slot[0] if slot_in_flash else sum(flash)
    window = DATA_WINDOWS.get(name, flash[0])
    header = HEADERS.get(name, b"")
    for image in (agent, agent + "-null"):
        elf = Elf(f"{build}/firmware/{image}.elf")
        for load, at, data, size in elf.loads:
            if data and not flash[0] <= load <= load + len(data) <= end:
                fail(image, f"bytes at {load:#x} are not in front of the slot")
            in_ram = ram[0] <= at and at + size <= ram[0] + ram[1]
            in_window = at - window == load - flash[0] or at == load and flash[0] <= at
            if not in_ram and not in_window:
                fail(image, f"memory at {at:#x} is neither flash nor RAM")
        if (elf.symbols["port_slot_start"], elf.symbols["port_slot_limit"]) != (slot[0],
                                                                               sum(slot)):
            fail(image, "the slot is not the board file's")
        # The FE310 keeps two words at the end of RAM as its marker.
        if not 0 <= sum(ram) - elf.symbols["port_arena_limit"] <= 16 or (
                slot_in_flash and sum(slot) > sum(flash)):
            fail(image, "RAM or flash is not the board file's")
        first, interrupt = EXPECTED[name]
        if first is None:
            start = flash[0] + len(header)
            if elf.entry != start or header and elf.read(flash[0], len(header)) != header:
                fail(image, f"starts at {elf.entry:#x}, the boot loader jumps to {start:#x}")
        elif vectors(image, elf, flash, ram, first) != interrupt:
            fail(image, f"the link's interrupt is not number {interrupt}")
        if name == "pico":
            boot = elf.read(flash[0], 256)
            if struct.unpack("<I", boot[252:])[0] != crc32_mpeg2(boot[:252]):
                fail(image, f"boot checksum must be {crc32_mpeg2(boot[:252]):#010x}")
print(f"{len(names)} boards: memory, vectors and interrupts as their chips want them")
