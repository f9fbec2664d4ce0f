// SPDX-License-Identifier: GPL-2.0-or-later
/* Alone responsible for making and removing named network namespaces, through ip(8). */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/process.h"
#include "system/netns.h"
#include "system/network.h"

/* ip answers at once; only a broken kernel lets it wait. */
#define IP_TIMEOUT_MS 10000

#define NAME_LENGTH_MAX 255

void netns_link_release(struct netns_link *link)
{
	free(link->name);
	free(link->kind);
	free(link->mac);
	free(link->outer);
	free(link->bridge);
	words_release(&link->addresses);
	*link = (struct netns_link){ 0 };
}

void netns_release(struct netns_links *links)
{
	for (size_t i = 0; i < links->count; i++)
		netns_link_release(&links->items[i]);
	free(links->items);
	*links = (struct netns_links){ 0 };
}

const char *netns_name(const char *path)
{
	static const char *const directories[] = { "/run/netns/", "/var/run/netns/" };

	for (size_t i = 0; i < COUNT_OF(directories); i++) {
		const char *name = path + strlen(directories[i]);

		/* What ip takes for a name and not for an option or a path. */
		if (text_starts_with(path, directories[i]) && *name != '\0' && *name != '-' &&
		    *name != '.' && strchr(name, '/') == NULL && strlen(name) <= NAME_LENGTH_MAX)
			return name;
	}
	return NULL;
}

static int check_name(const char *path, const char **name, struct error *err)
{
	*name = netns_name(path);
	if (*name != NULL)
		return 0;
	return error_set(err, "'%s' is no network namespace of /run/netns", path);
}

bool netns_is_of(const char *path, pid_t pid)
{
	CLEANUP(memory_release) char *of = memory_format("/proc/%d/ns/net", (int)pid);
	struct stat named;
	struct stat other;

	return stat(path, &named) == 0 && stat(of, &other) == 0 && named.st_dev == other.st_dev &&
	       named.st_ino == other.st_ino;
}

/* A NULL-terminated list of words. */
static int run_ip(const char *const *argv, struct error *err)
{
	struct process_options options = { .argv = argv, PROCESS_DEFAULTS };

	return process_run(&options, IP_TIMEOUT_MS, NULL, err);
}

int netns_make(const char *path, struct error *err)
{
	const char *name;

	if (check_name(path, &name, err) < 0)
		return -1;
	if (!file_exists(path) &&
	    run_ip((const char *const[]){ "ip", "netns", "add", name, NULL }, err) < 0)
		return error_context(err, "cannot make the network namespace '%s'", name);
	return run_ip(
		(const char *const[]){ "ip", "-n", name, "link", "set", "dev", "lo", "up", NULL },
		err);
}

/* The pair, its inner end inside under its own name. */
static int make_pair(const char *name, const struct netns_link *link, const char *inner,
		     struct error *err)
{
	if (network_link_exists(link->outer))
		return 0;
	if (network_make_pair(link->outer, inner, link->mtu, err) < 0 ||
	    run_ip((const char *const[]){ "ip", "link", "set", "dev", inner, "netns", name, NULL },
		   err) < 0)
		return -1;
	return run_ip((const char *const[]){ "ip", "-n", name, "link", "set", "dev", inner, "name",
					     link->name, NULL },
		      err);
}

static int add_address(const char *name, const char *link, const char *address, struct error *err)
{
	CLEANUP(words_release) struct words argv = { 0 };

	words_add_all(&argv, (const char *const[]){ "ip", "-n", name, "address", "replace", address,
						    "dev", link, NULL });
	/* It was looked for at its first node; a search for a duplicate would find the container. */
	if (strchr(address, ':') != NULL)
		words_add(&argv, "nodad");
	else
		words_add_all(&argv, (const char *const[]){ "broadcast", "+", NULL });
	return run_ip((const char *const *)argv.items, err);
}

int netns_make_link(const char *path, const struct netns_link *link, const char *inner,
		    struct error *err)
{
	CLEANUP(words_release) struct words argv = { 0 };
	const char *name;

	if (check_name(path, &name, err) < 0)
		return -1;
	words_add_all(&argv, (const char *const[]){ "ip", "-n", name, "link", "set", "dev",
						    link->name, "up", NULL });
	if (link->mac != NULL)
		words_add_all(&argv, (const char *const[]){ "address", link->mac, NULL });
	if (make_pair(name, link, inner, err) < 0 ||
	    run_ip((const char *const *)argv.items, err) < 0)
		return error_context(err, "cannot make network device '%s'", link->outer);
	for (size_t i = 0; i < link->addresses.count; i++)
		if (add_address(name, link->name, link->addresses.items[i], err) < 0)
			return error_context(err, "cannot give '%s' its address %s", link->name,
					     link->addresses.items[i]);
	return 0;
}

static int add_route(const char *name, const char *route, struct error *err)
{
	CLEANUP(words_release) struct words words = { 0 };
	CLEANUP(words_release) struct words argv = { 0 };

	if (words_split(&words, route, err) < 0)
		return -1;
	if (words.count < 2)
		return error_set(err, "'%s' is no route", route);
	words_add_all(&argv, (const char *const[]){ "ip", "-n", name, "-family", words.items[0],
						    "route", "replace", NULL });
	for (size_t i = 1; i < words.count; i++)
		words_add(&argv, words.items[i]);
	return run_ip((const char *const *)argv.items, err);
}

int netns_make_routes(const char *path, const struct words *routes, struct error *err)
{
	const char *name;

	if (check_name(path, &name, err) < 0)
		return -1;
	for (size_t i = 0; i < routes->count; i++)
		if (add_route(name, routes->items[i], err) < 0)
			return error_context(err, "cannot make the route '%s'", routes->items[i]);
	return 0;
}

int netns_delete(const char *path, struct error *err)
{
	struct error reason = { 0 };
	const char *name;

	if (check_name(path, &name, err) < 0)
		return -1;
	if (!file_exists(path) ||
	    run_ip((const char *const[]){ "ip", "netns", "delete", name, NULL }, &reason) == 0 ||
	    !file_exists(path))
		return 0;
	*err = reason;
	return -1;
}
