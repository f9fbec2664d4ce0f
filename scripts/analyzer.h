/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Alone responsible for telling clang's analyzer what it cannot see from one file: that the functions
 * which word an error return -1. scripts/lint puts it before each source; the compiler never sees it.
 */
#include "base/error.h"

#define error_set(...) (error_set(__VA_ARGS__), -1)
#define error_exit(...) (error_exit(__VA_ARGS__), -1)
#define error_system(...) (error_system(__VA_ARGS__), -1)
#define error_context(...) (error_context(__VA_ARGS__), -1)
#define error_default(...) (error_default(__VA_ARGS__), -1)
