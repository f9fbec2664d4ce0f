// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for letting a child do what would block the poll loop. */
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/offload.h"
#include "base/process.h"

struct order {
	int (*function)(const void *data, struct error *err);
	const void *data;
	int report; /* gets the struct error of a failure */
};

static int run_order(void *data)
{
	const struct order *order = data;
	struct error failure = { 0 };

	/* What nobody waits for must not go on beside whoever comes next. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (order->function(order->data, &failure) == 0)
		return 0;
	return write(order->report, &failure, sizeof(failure)) == sizeof(failure) ? 1 : 2;
}

int offload(int (*function)(const void *data, struct error *err), const void *data,
	    struct error *err)
{
	CLEANUP(process_release) struct process process = PROCESS_NONE;
	CLEANUP(descriptor_close) int reading = -1;
	CLEANUP(descriptor_close) int writing = -1;
	struct order order = { .function = function, .data = data };
	int ends[2];
	int status;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_system(err, "cannot make a pipe");
	reading = ends[0];
	writing = ends[1];
	order.report = writing;
	if (process_fork(&process, run_order, &order, &writing, 1, err) < 0)
		return -1;
	descriptor_close(&writing);
	status = process_wait(&process, -1, err);
	if (status <= 0)
		return status;
	if (read(reading, err, sizeof(*err)) != sizeof(*err))
		return error_set(err, "a part of vzmigrate ended with status %d", status);
	return -1;
}
