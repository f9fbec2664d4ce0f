// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for what a system call looks like in the registers of a processor. */
#include <elf.h>
#include <errno.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include "system/inject_registers.h"

static int read_user(pid_t thread, struct inject_registers *registers)
{
	struct iovec part = { &registers->user, sizeof(registers->user) };

	if (ptrace(PTRACE_GETREGSET, thread, NT_PRSTATUS, &part) < 0)
		return -1;
	if (part.iov_len == sizeof(registers->user))
		return 0;
	/* A 32 bit thread has fewer registers. */
	errno = ENOTSUP;
	return -1;
}

static int write_user(pid_t thread, const struct inject_registers *registers)
{
	struct iovec part = { (void *)(uintptr_t)&registers->user, sizeof(registers->user) };

	return (int)ptrace(PTRACE_SETREGSET, thread, NT_PRSTATUS, &part);
}

#if defined(__x86_64__) && !defined(__ILP32__)

#define CODE_SEGMENT_64 0x33

const struct inject_instruction inject_instruction = { { 0x0f, 0x05 }, 2, 1 };

int inject_registers_read(pid_t thread, struct inject_registers *registers)
{
	if (read_user(thread, registers) < 0)
		return -1;
	if (registers->user.cs == CODE_SEGMENT_64)
		return 0;
	errno = ENOTSUP;
	return -1;
}

int inject_registers_write(pid_t thread, const struct inject_registers *registers)
{
	return write_user(thread, registers);
}

void inject_registers_prepare(struct inject_registers *registers, uint64_t instruction, long number,
			      const unsigned long arguments[6])
{
	struct user_regs_struct *user = &registers->user;

	user->rip = instruction;
	user->rax = (unsigned long)number;
	/* Not in a system call: nothing to restart. */
	user->orig_rax = (unsigned long)-1;
	user->rdi = arguments[0];
	user->rsi = arguments[1];
	user->rdx = arguments[2];
	user->r10 = arguments[3];
	user->r8 = arguments[4];
	user->r9 = arguments[5];
}

long inject_registers_result(const struct inject_registers *registers)
{
	return (long)registers->user.rax;
}

uint64_t inject_registers_position(const struct inject_registers *registers)
{
	return registers->user.rip;
}

#elif defined(__aarch64__)

/* The number of the system call is not among the other registers. */
#ifndef NT_ARM_SYSTEM_CALL
#define NT_ARM_SYSTEM_CALL 0x404
#endif

#define RESULT 0
#define NUMBER 8

const struct inject_instruction inject_instruction = { { 0x01, 0x00, 0x00, 0xd4 }, 4, 4 };

int inject_registers_read(pid_t thread, struct inject_registers *registers)
{
	return read_user(thread, registers);
}

int inject_registers_write(pid_t thread, const struct inject_registers *registers)
{
	int none = -1;
	struct iovec part = { &none, sizeof(none) };

	/* Not in a system call: what is in its first register is no result that asks for a restart. */
	if (ptrace(PTRACE_SETREGSET, thread, NT_ARM_SYSTEM_CALL, &part) < 0)
		return -1;
	return write_user(thread, registers);
}

void inject_registers_prepare(struct inject_registers *registers, uint64_t instruction, long number,
			      const unsigned long arguments[6])
{
	struct user_regs_struct *user = &registers->user;

	user->pc = instruction;
	user->regs[NUMBER] = (unsigned long)number;
	for (int i = 0; i < 6; i++)
		user->regs[i] = arguments[i];
}

long inject_registers_result(const struct inject_registers *registers)
{
	return (long)registers->user.regs[RESULT];
}

uint64_t inject_registers_position(const struct inject_registers *registers)
{
	return registers->user.pc;
}

#else

const struct inject_instruction inject_instruction = { .length = 0 };

int inject_registers_read(pid_t thread, struct inject_registers *registers)
{
	return read_user(thread, registers);
}

int inject_registers_write(pid_t thread, const struct inject_registers *registers)
{
	return write_user(thread, registers);
}

/* Nobody calls these: there is no instruction. */
void inject_registers_prepare(struct inject_registers *registers, uint64_t instruction, long number,
			      const unsigned long arguments[6])
{
	(void)registers;
	(void)instruction;
	(void)number;
	(void)arguments;
}

long inject_registers_result(const struct inject_registers *registers)
{
	(void)registers;
	return -ENOSYS;
}

uint64_t inject_registers_position(const struct inject_registers *registers)
{
	(void)registers;
	return 0;
}

#endif
