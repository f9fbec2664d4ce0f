/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Logging in: the agent's keys, the key files of the configuration (with their certificates), then,
 * where there is somebody to ask and BatchMode is not set, questions and passwords. A passphrase is
 * asked only for a key that the server would take, where FILE.pub says which that is. A key file
 * that others can read is not used, as in ssh.
 *
 * With IdentitiesOnly the key files come first, and the agent only when one of them cannot be read
 * without its passphrase (libssh cannot choose among the agent's keys).
 */
#ifndef SYSTEM_SSH_AUTH_H
#define SYSTEM_SSH_AUTH_H

#include <libssh/libssh.h>

#include "base/error.h"
#include "system/ssh_config.h"

/* EXIT_CONNECT when the server refuses; the sentence says what was tried. */
int ssh_auth_login(const struct ssh_config *config, ssh_session session, struct error *err);

#endif
