/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory and scope: allocation that cannot fail (it aborts in one place), and the attribute that
 * releases a variable when it leaves its scope.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#define CLEANUP(release) __attribute__((cleanup(release)))

/* How many elements an array has (not a pointer). */
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Zeroed memory; the caller frees. */
void *memory_allocate(size_t count, size_t size);
void *memory_resize(void *memory, size_t count, size_t size);

/* Room for one more behind `count` items that were all added so: twice as much whenever it is full. */
void *memory_grow(void *memory, size_t count, size_t size);

char *memory_duplicate(const char *text);
char *memory_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* For CLEANUP on `char *` and on descriptors (closed when >= 0, errno kept, then -1). */
void memory_release(char **text);
void descriptor_close(int *fd);

/* Takes the value out of a CLEANUP variable, so that it outlives the scope. */
char *memory_steal(char **text);
int descriptor_steal(int *fd);

#endif
