/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of ssh's configuration that is libssh's to keep: names, algorithms, compression,
 * rekeying. Lists of algorithms may name what libssh lacks; one of them it must know.
 */
#ifndef SYSTEM_SSH_APPLY_H
#define SYSTEM_SSH_APPLY_H

#include <libssh/libssh.h>

#include "base/error.h"
#include "system/ssh_config.h"

/* Before ssh_connect(). From here on libssh reads no configuration of its own. EXIT_CONNECT. */
int ssh_config_apply(const struct ssh_config *config, ssh_session session, struct error *err);

#endif
