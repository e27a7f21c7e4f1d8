/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of QEMU's plugin interface, version 1 (QEMU 4.2 to 8.x), that the marker plugin uses.
 *
 * Debian's QEMU loads plugins but ships no header for them, so these are declarations of our own:
 * the names, argument types and values that the binary expects, nothing more.
 */
#ifndef TARGETS_VIRTUAL_PLUGIN_QEMU_API_H
#define TARGETS_VIRTUAL_PLUGIN_QEMU_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QEMU_API_VERSION 1

struct qemu_plugin_tb;   /* a translated block */
struct qemu_plugin_insn; /* an instruction of one */
struct qemu_plugin_hwaddr;

struct qemu_info {
    const char *target_name;
    struct {
        int min;
        int cur;
    } version;
    bool system_emulation;
    int smp_vcpus; /* only with system_emulation */
    int max_vcpus;
};

enum qemu_op {
    QEMU_OP_ADD_U64 = 0
};
enum qemu_registers {
    QEMU_NO_REGISTERS = 0
};
enum qemu_access {
    QEMU_READ = 1,
    QEMU_WRITE = 2
};

typedef void (*qemu_translated_fn)(uint64_t id, struct qemu_plugin_tb *tb);
typedef void (*qemu_access_fn)(unsigned cpu, uint32_t info, uint64_t address, void *user);
typedef void (*qemu_exit_fn)(uint64_t id, void *user);

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, qemu_translated_fn fn);
void qemu_plugin_register_atexit_cb(uint64_t id, qemu_exit_fn fn, void *user);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, enum qemu_op op,
                                                void *counter, uint64_t amount);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn, qemu_access_fn fn,
                                      enum qemu_registers registers, enum qemu_access access,
                                      void *user);
struct qemu_plugin_hwaddr *qemu_plugin_get_hwaddr(uint32_t info, uint64_t address);
bool qemu_plugin_hwaddr_is_io(const struct qemu_plugin_hwaddr *hwaddr);

#endif
