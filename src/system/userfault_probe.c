// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for whether the kernel has userfaultfd as it is needed. */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/userfaultfd.h>

#include "base/memory.h"
#include "system/userfault_probe.h"

/* What criu asks for, so that whoever fills learns of forks and of mappings that change. */
#define FEATURES                                                                                   \
	(UFFD_FEATURE_EVENT_FORK | UFFD_FEATURE_EVENT_REMAP | UFFD_FEATURE_EVENT_REMOVE |          \
	 UFFD_FEATURE_EVENT_UNMAP)

int userfault_possible(struct error *err)
{
	CLEANUP(descriptor_close) int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	struct uffdio_api api = { .api = UFFD_API, .features = FEATURES };

	if (fd >= 0 && ioctl(fd, UFFDIO_API, &api) == 0)
		return 0;
	error_system(err, "the kernel cannot fill memory in while its processes run (userfaultfd)");
	return error_default(err, EXIT_TECHNOLOGIES);
}
