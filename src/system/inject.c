// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for having another process do a system call, and for leaving it as it was. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "system/inject.h"
#include "system/inject_registers.h"
#include "system/proc.h"

/* The vdso of any architecture is smaller. */
#define VDSO_SIZE_MAX (64 << 10)

/* The kernel's signal sets have 64 bits. */
#define SIGNALS_ALL UINT64_MAX

/* What older headers lack (include/uapi/linux/ptrace.h). */
#define GET_RSEQ_CONFIGURATION ((enum __ptrace_request)0x420f)
#define GET_DISPATCH_CONFIGURATION ((enum __ptrace_request)0x4211)

struct rseq_configuration {
	uint64_t address;
	uint32_t size;
	uint32_t signature;
	uint32_t flags;
	uint32_t padding;
};

struct dispatch_configuration {
	uint64_t mode;
	uint64_t selector;
	uint64_t offset;
	uint64_t length;
};

/* What of struct rseq and struct rseq_cs tells whether a thread is in a sequence (linux/rseq.h). */
struct rseq {
	uint32_t cpu_id_start;
	uint32_t cpu_id;
	uint64_t sequence; /* address of: */
};

struct rseq_sequence {
	uint32_t version;
	uint32_t flags;
	uint64_t start;
	uint64_t length;
	uint64_t abort;
};

struct injection {
	struct inject_threads *threads;
	pid_t worker;
	uint64_t instruction; /* where in the process one makes a system call */
	struct inject_registers registers;
	uint64_t blocked; /* signals, of the worker */
};

static bool read_memory(pid_t pid, uint64_t address, void *bytes, size_t length)
{
	struct iovec here = { bytes, length };
	struct iovec there = { (void *)(uintptr_t)address, length };

	return process_vm_readv(pid, &here, 1, &there, 1, 0) == (ssize_t)length;
}

/* The kernel would take a thread that is elsewhere out of its sequence, without starting that again. */
static bool is_in_sequence(pid_t thread, const struct inject_registers *registers)
{
	uint64_t position = inject_registers_position(registers);
	struct rseq_configuration configuration = { 0 };
	struct rseq_sequence sequence = { 0 };
	struct rseq state = { 0 };

	if (ptrace(GET_RSEQ_CONFIGURATION, thread, sizeof(configuration), &configuration) < 0 ||
	    configuration.address == 0 ||
	    !read_memory(thread, configuration.address, &state, sizeof(state)) ||
	    state.sequence == 0)
		return false;
	return !read_memory(thread, state.sequence, &sequence, sizeof(sequence)) ||
	       position - sequence.start < sequence.length;
}

static bool is_dispatched(pid_t thread)
{
	struct dispatch_configuration configuration = { 0 };

	return ptrace(GET_DISPATCH_CONFIGURATION, thread, sizeof(configuration), &configuration) ==
		       0 &&
	       configuration.mode != 0;
}

/* The first thread that can be used, and what there is to be put back. */
static int choose_worker(struct injection *injection, struct error *err)
{
	const char *reason = "it has no thread that runs";

	for (size_t i = 0; i < injection->threads->count; i++) {
		pid_t thread = injection->threads->items[i].id;

		if (inject_registers_read(thread, &injection->registers) < 0)
			reason = errno == ENOTSUP ? "it is of another kind than this program"
						  : "its registers cannot be read";
		else if (is_in_sequence(thread, &injection->registers))
			reason = "it is in a restartable sequence";
		else if (is_dispatched(thread))
			reason = "its system calls are dispatched to itself";
		else if (ptrace(PTRACE_GETSIGMASK, thread, sizeof(injection->blocked),
				&injection->blocked) < 0)
			reason = "its signals cannot be read";
		else {
			injection->worker = thread;
			return 0;
		}
	}
	return error_set(err, "%s", reason);
}

static uint64_t find_vdso(pid_t pid)
{
	CLEANUP(text_release) struct text content = { 0 };
	uint64_t pair[2];

	if (!proc_read(pid, "auxv", &content))
		return 0;
	for (size_t at = 0; at + sizeof(pair) <= content.length; at += sizeof(pair)) {
		memcpy(pair, content.bytes + at, sizeof(pair));
		if (pair[0] == AT_SYSINFO_EHDR)
			return pair[1];
	}
	return 0;
}

/* The leader may have ended: its threads are asked. */
static int find_instruction(struct injection *injection, struct error *err)
{
	CLEANUP(memory_release) char *path = memory_format("/proc/%d/mem", (int)injection->worker);
	CLEANUP(memory_release) char *code = memory_allocate(VDSO_SIZE_MAX, 1);
	CLEANUP(descriptor_close) int memory = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t vdso = find_vdso(injection->worker);
	ssize_t length = -1;

	if (memory >= 0 && vdso != 0)
		length = pread(memory, code, VDSO_SIZE_MAX, (off_t)vdso);
	for (size_t at = 0; length > 0 && at + inject_instruction.length <= (size_t)length;
	     at += inject_instruction.alignment)
		if (memcmp(code + at, inject_instruction.bytes, inject_instruction.length) == 0) {
			injection->instruction = vdso + at;
			return 0;
		}
	return error_set(err, "it has no vdso with a system call");
}

int inject_call(struct injection *injection, long number, const unsigned long arguments[6],
		long *result, struct error *err)
{
	struct inject_registers registers = injection->registers;
	pid_t worker = injection->worker;

	inject_registers_prepare(&registers, injection->instruction, number, arguments);
	if (inject_registers_write(worker, &registers) < 0)
		return error_system(err, "cannot set the registers of thread %d", (int)worker);
	/* To its entry, and to its end. */
	for (int stop = 0; stop < 2; stop++)
		if (inject_threads_step(injection->threads, worker, err) < 0)
			return -1;
	if (inject_registers_read(worker, &registers) < 0)
		return error_system(err, "cannot read the registers of thread %d", (int)worker);
	*result = inject_registers_result(&registers);
	return 0;
}

/* No signal may be delivered while the registers are ours. */
static int work_with(struct injection *injection, inject_work *work, void *data, struct error *err)
{
	uint64_t all = SIGNALS_ALL;
	pid_t worker = injection->worker;
	int outcome;

	if (ptrace(PTRACE_SETSIGMASK, worker, sizeof(all), &all) < 0)
		return error_system(err, "cannot block the signals of thread %d", (int)worker);
	outcome = work(injection, data, err);
	if (inject_registers_write(worker, &injection->registers) < 0 ||
	    ptrace(PTRACE_SETSIGMASK, worker, sizeof(injection->blocked), &injection->blocked) < 0)
		return outcome < 0 ? -1 : error_set(err, "it ended meanwhile");
	return outcome;
}

int inject(struct inject_threads *threads, inject_work *work, void *data, struct error *err)
{
	struct injection injection = { .threads = threads };

	if (!inject_is_possible())
		return error_set(err, "there is no code for this processor");
	if (choose_worker(&injection, err) < 0 || find_instruction(&injection, err) < 0)
		return -1;
	return work_with(&injection, work, data, err);
}

bool inject_is_possible(void)
{
	return inject_instruction.length > 0;
}
