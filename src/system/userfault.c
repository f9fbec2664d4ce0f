// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for what is asked of a userfaultfd, and for what its answers mean. */
#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "system/page_scan.h"
#include "system/userfault.h"

/* Any page would do for userfault_ask(): the kernel looks at the process before it looks for the page. It
 * must only lie above vm.mmap_min_addr, which is 64 KiB. */
#define SOME_ADDRESS ((uint64_t)1 << 20)

/* `said` is what the kernel wrote into the request: how many bytes, or a negative error number. */
static int judge(int result, int64_t said, uint64_t length, uint64_t *done, struct error *err)
{
	*done = 0;
	if (result == 0) {
		*done = length;
		return USERFAULT_DONE;
	}
	/* It stopped in the middle: the error is that of the next page, which is asked for again. */
	if (said > 0) {
		*done = (uint64_t)said;
		return USERFAULT_DONE;
	}
	switch (errno) {
	case EEXIST:
		return USERFAULT_THERE;
	case EAGAIN:
	case ENOMEM:
		return USERFAULT_AGAIN;
	case ENOENT:
		return USERFAULT_UNMAPPED;
	case ESRCH:
	case ENOSPC: /* before Linux 4.13 */
		return USERFAULT_GONE;
	default:
		return error_system(err, "cannot give a process its memory");
	}
}

int userfault_copy(int fd, uint64_t address, const void *bytes, uint64_t length, uint64_t *done,
		   struct error *err)
{
	struct uffdio_copy request = {
		.dst = address,
		.src = (uint64_t)(uintptr_t)bytes,
		.len = length,
	};
	int result = ioctl(fd, UFFDIO_COPY, &request);

	return judge(result, request.copy, length, done, err);
}

int userfault_zero(int fd, uint64_t address, uint64_t length, uint64_t *done, struct error *err)
{
	struct uffdio_zeropage request = { .range = { .start = address, .len = length } };
	int result = ioctl(fd, UFFDIO_ZEROPAGE, &request);

	return judge(result, request.zeropage, length, done, err);
}

void userfault_wake(int fd, uint64_t address, uint64_t length)
{
	struct uffdio_range range = { .start = address, .len = length };

	/* It fails only for what is no range of addresses, where nobody can wait. */
	ioctl(fd, UFFDIO_WAKE, &range);
}

/* Takes away a write protection that nobody has asked for: of all requests the one that has no effect. */
int userfault_ask(int fd, struct error *err)
{
	struct uffdio_writeprotect request = {
		.range = { .start = SOME_ADDRESS, .len = page_size() },
		.mode = UFFDIO_WRITEPROTECT_MODE_DONTWAKE,
	};

	if (ioctl(fd, UFFDIO_WRITEPROTECT, &request) == 0 || errno == ENOENT)
		return USERFAULT_DONE;
	if (errno == EAGAIN || errno == ENOMEM)
		return USERFAULT_AGAIN;
	if (errno == ESRCH)
		return USERFAULT_GONE;
	return error_system(err, "cannot ask for the state of a process's memory");
}

int userfault_read(int fd, struct uffd_msg *messages, size_t most, struct error *err)
{
	ssize_t got = read(fd, messages, most * sizeof(*messages));

	if (got >= 0)
		return (int)((size_t)got / sizeof(*messages));
	/* The report of a fork stays where it is until there is room for its descriptor. */
	if (errno == EAGAIN || errno == EINTR || errno == EMFILE || errno == ENFILE ||
	    errno == ENOMEM)
		return 0;
	return error_system(err, "cannot read what a process does with its memory");
}
