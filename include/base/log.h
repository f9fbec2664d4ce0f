/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the program says while it works. The mode decides where it goes: the command line prints it,
 * the agent sends it to the source as messages. Until a sink is set, everything is dropped.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level {
	LOG_WARNING, /* something the admin should know although the migration goes on */
	LOG_NOTICE,  /* what is being done, a line a stage */
	LOG_DEBUG,   /* -v: decisions, commands, timings */
	LOG_TRACE,   /* -vv: what the commands print */
};

typedef void log_sink(void *data, enum log_level level, const char *text);

void log_set_sink(log_sink *sink, void *data);

/* The most talkative level that reaches the sink; LOG_NOTICE at the start. */
void log_set_level(enum log_level level);
enum log_level log_get_level(void);

void log_message(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#define log_warning(...) log_message(LOG_WARNING, __VA_ARGS__)
#define log_notice(...) log_message(LOG_NOTICE, __VA_ARGS__)
#define log_debug(...) log_message(LOG_DEBUG, __VA_ARGS__)
#define log_trace(...) log_message(LOG_TRACE, __VA_ARGS__)

#endif
