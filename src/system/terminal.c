// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for asking the admin something on the terminal. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/memory.h"
#include "system/terminal.h"

/* The longest answer that is taken: ssh's own limit for passphrases is of this order. */
#define ANSWER_LIMIT 1024

static const int watched[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

static volatile sig_atomic_t interrupted;

/* What has to be put back after asking. */
struct before {
	int tty;
	pid_t foreground;
	struct termios modes;
	sigset_t mask;
	struct sigaction actions[COUNT_OF(watched)];
	struct sigaction output_action, stop_action;
};

bool terminal_present(void)
{
	CLEANUP(descriptor_close) int tty = -1;
	pid_t foreground;

	if (!isatty(STDIN_FILENO))
		return false;
	tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (tty < 0)
		return false;
	foreground = tcgetpgrp(tty);
	return foreground == getpgrp() || foreground == getpgid(getppid());
}

static void note_signal(int number)
{
	(void)number;
	interrupted = 1;
}

static void catch_signals(struct before *before)
{
	struct sigaction action = { .sa_handler = note_signal };
	sigset_t block;

	interrupted = 0;
	sigemptyset(&block);
	for (size_t i = 0; i < COUNT_OF(watched); i++) {
		sigaddset(&block, watched[i]);
		sigaction(watched[i], &action, &before->actions[i]);
	}
	sigprocmask(SIG_BLOCK, &block, &before->mask);
	/* A background process may only take the foreground with SIGTTOU ignored. */
	action.sa_handler = SIG_IGN;
	sigaction(SIGTTOU, &action, &before->output_action);
	sigaction(SIGTSTP, &action, &before->stop_action);
}

static int take_terminal(struct before *before, bool echo, struct error *err)
{
	struct termios modes;

	before->tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (before->tty < 0 || tcgetattr(before->tty, &before->modes) < 0) {
		descriptor_close(&before->tty);
		return error_system(err, "cannot ask on the terminal");
	}
	before->foreground = tcgetpgrp(before->tty);
	catch_signals(before);
	tcsetpgrp(before->tty, getpgrp());
	modes = before->modes;
	modes.c_lflag |= ICANON | ISIG | ECHO | ECHONL;
	if (!echo)
		modes.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(before->tty, TCSAFLUSH, &modes);
	return 0;
}

static void give_back(struct before *before)
{
	tcsetattr(before->tty, TCSANOW, &before->modes);
	if (before->foreground > 0)
		tcsetpgrp(before->tty, before->foreground);
	for (size_t i = 0; i < COUNT_OF(watched); i++)
		sigaction(watched[i], &before->actions[i], NULL);
	sigaction(SIGTTOU, &before->output_action, NULL);
	sigaction(SIGTSTP, &before->stop_action, NULL);
	descriptor_close(&before->tty);
}

/* The terminal gives whole lines: one read is one answer. */
static int read_line(const struct before *before, struct text *answer, struct error *err)
{
	struct pollfd ready = { before->tty, POLLIN, 0 };
	char line[ANSWER_LIMIT];
	ssize_t got = -1;

	if (!interrupted && ppoll(&ready, 1, NULL, &before->mask) > 0)
		got = read(before->tty, line, sizeof(line));
	if (interrupted || got <= 0)
		return error_exit(err, EXIT_INTERRUPTED, "interrupted at a question");
	if (line[got - 1] == '\n')
		got--;
	text_append(answer, line, (size_t)got);
	explicit_bzero(line, sizeof(line));
	return 0;
}

int terminal_ask(const char *prompt, bool echo, struct text *answer, struct error *err)
{
	struct before before;
	int result;

	if (take_terminal(&before, echo, err) < 0)
		return -1;
	if (write(before.tty, prompt, strlen(prompt)) < 0)
		result = error_system(err, "cannot ask on the terminal");
	else
		result = read_line(&before, answer, err);
	give_back(&before);
	/* Last: a signal that came in between now meets its usual handler. */
	sigprocmask(SIG_SETMASK, &before.mask, NULL);
	return result;
}
