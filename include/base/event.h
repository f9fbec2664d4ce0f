/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a program that watches vzmigrate wants to know: named events with fields. The mode decides
 * where they go: the command line prints them with --batch, and makes progress lines of some on a
 * terminal. Without a sink they are dropped. What people read is base/log.h's.
 */
#ifndef BASE_EVENT_H
#define BASE_EVENT_H

#include <json-c/json.h>

typedef void event_sink(void *data, const char *event, json_object *fields);

void event_set_sink(event_sink *sink, void *data);

/* Takes the reference to fields, an object. */
void event_emit(const char *event, json_object *fields);

#endif
