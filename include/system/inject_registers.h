/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What system/inject.h must know of the processor: the registers of a stopped thread, and how they make a
 * system call.
 */
#ifndef SYSTEM_INJECT_REGISTERS_H
#define SYSTEM_INJECT_REGISTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

struct inject_registers {
	struct user_regs_struct user;
};

/* The instruction that makes a system call, and where it may stand; no length: no code for this one. */
struct inject_instruction {
	unsigned char bytes[4];
	size_t length;
	size_t alignment;
};

extern const struct inject_instruction inject_instruction;

/* Both return 0, or -1 with errno; ENOTSUP: the thread is of another kind (32 bit). */
int inject_registers_read(pid_t thread, struct inject_registers *registers);
int inject_registers_write(pid_t thread, const struct inject_registers *registers);

/* Registers with which the thread makes this call at `instruction`; what was interrupted is not restarted
 * with them. */
void inject_registers_prepare(struct inject_registers *registers, uint64_t instruction, long number,
			      const unsigned long arguments[6]);

/* After the call. */
long inject_registers_result(const struct inject_registers *registers);

/* Where the thread is. */
uint64_t inject_registers_position(const struct inject_registers *registers);

#endif
