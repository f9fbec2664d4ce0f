/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One userfaultfd, through which the missing pages of another process's memory are given to it
 * (ioctl_userfaultfd(2); Linux 5.7 or newer). The descriptor is somebody else's making: its handshake is
 * done, the mappings are registered for missing pages, and it reports forks and changes of mappings.
 *
 * The kernel lets nobody change such memory while a report of a change is not read: so whoever reads
 * reports takes all that were read at once into account before the next page is given, and gives a page
 * again later where it is told to. Then what is given to an address is what belongs there.
 */
#ifndef SYSTEM_USERFAULT_H
#define SYSTEM_USERFAULT_H

#include <stddef.h>
#include <stdint.h>

#include <linux/userfaultfd.h>

#include "base/error.h"

/* What became of giving pages. */
enum userfault_outcome {
	USERFAULT_DONE,	    /* at least the first page is there; *done says how many bytes are */
	USERFAULT_THERE,    /* the first page was there before; who waits for it was not woken */
	USERFAULT_AGAIN,    /* a change is under way, or there is no memory: read, and try again */
	USERFAULT_UNMAPPED, /* there is no mapping, or not one for all of it; nobody was woken */
	USERFAULT_GONE,	    /* the process has ended, or executes another program */
};

/* Gives `length` bytes (whole pages) to the address. Returns an outcome; -1 when the kernel says
 * what it should not. */
int userfault_copy(int fd, uint64_t address, const void *bytes, uint64_t length, uint64_t *done,
		   struct error *err);

/* The same with pages of zeros, which take no memory until they are written to. */
int userfault_zero(int fd, uint64_t address, uint64_t length, uint64_t *done, struct error *err);

/* Whoever waits for one of these pages tries again, and is reported again if it is still missing. */
void userfault_wake(int fd, uint64_t address, uint64_t length);

/* Is a change under way (USERFAULT_AGAIN), or the process gone (USERFAULT_GONE)? Else USERFAULT_DONE:
 * there is no change but those whose reports were read. Changes nothing. -1 as above. */
int userfault_ask(int fd, struct error *err);

/* Reads reports that are there, at most `most`. Returns how many; that of a fork carries a descriptor that is
 * now the caller's. -1 on failure; 0 also when the kernel has no descriptor for a fork just now. */
int userfault_read(int fd, struct uffd_msg *messages, size_t most, struct error *err);

#endif
