/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Less and less right: see sandbox.h. The system calls are sandbox_filter.c's.
 */
#include "sandbox.h"

#include <errno.h>
#include <glib.h>
#include <grp.h>
#include <pwd.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { GROUPS_MAX = 64 };

/* Who we are going to be. */
struct identity {
    uid_t user;
    gid_t group;
    gid_t groups[GROUPS_MAX];
    int group_count;
};

/* ---- names to numbers ---------------------------------------------------------------------- */

static bool number_from_text(const char *text, guint64 *number)
{
    return g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT32 - 1, number, NULL);
}

static bool group_find(const char *name, gid_t *group, char **error)
{
    guint64 number;
    errno = 0;
    const struct group *found = getgrnam(name);
    if (found) {
        *group = found->gr_gid;
        return true;
    }
    if (number_from_text(name, &number)) {
        *group = (gid_t)number;
        return true;
    }
    *error = g_strdup_printf("there is no group \"%s\": create it or name another with -u", name);
    return false;
}

/* A name brings its groups along; a number that nobody has is alone in a group of that number. */
static bool user_find(const char *name, struct identity *identity, char **error)
{
    guint64 number;
    bool is_number = number_from_text(name, &number);
    const struct passwd *found = getpwnam(name);
    if (!found && is_number) {
        found = getpwuid((uid_t)number);
    }
    if (!found && !is_number) {
        *error =
            g_strdup_printf("there is no user \"%s\": create it or name another with -u", name);
        return false;
    }
    identity->user = found ? found->pw_uid : (uid_t)number;
    identity->group = found ? found->pw_gid : (gid_t)number;
    identity->groups[0] = identity->group;
    identity->group_count = found ? GROUPS_MAX : 1;
    if (found && getgrouplist(found->pw_name, identity->group, identity->groups,
                              &identity->group_count) < 0) {
        *error = g_strdup_printf("user %s is in more than %d groups", name, GROUPS_MAX);
        return false;
    }
    return true;
}

static bool identity_find(const char *text, struct identity *identity, char **error)
{
    char **words = g_strsplit(text, ":", 2);
    bool ok = user_find(words[0] ? words[0] : "", identity, error);
    if (ok && words[1]) {
        gid_t former = identity->group;
        ok = group_find(words[1], &identity->group, error);
        for (int i = 0; i < identity->group_count; i++) {
            identity->groups[i] =
                identity->groups[i] == former ? identity->group : identity->groups[i];
        }
    }
    g_strfreev(words);
    return ok;
}

/* ---- capabilities -------------------------------------------------------------------------- */

static bool has_capability(cap_value_t capability, cap_flag_t set)
{
    cap_flag_value_t value = CAP_CLEAR;
    cap_t now = cap_get_proc();
    bool has = now && cap_get_flag(now, capability, set, &value) == 0 && value == CAP_SET;
    cap_free(now);
    return has;
}

static bool is_kept(const struct sandbox_options *options, cap_value_t capability)
{
    return (capability == CAP_SYS_TIME && options->may_steer) ||
           (capability == CAP_NET_BIND_SERVICE && options->may_bind);
}

/* Without CAP_SETPCAP the bounding set stays: nothing can be gained from it, as no_new_privs
 * follows. */
static bool drop_bounds(const struct sandbox_options *options)
{
    if (!has_capability(CAP_SETPCAP, CAP_EFFECTIVE)) {
        return true;
    }
    for (cap_value_t c = 0; c < cap_max_bits(); c++) {
        if (!is_kept(options, c) && cap_get_bound(c) > 0 && cap_drop_bound(c) != 0) {
            return false;
        }
    }
    return true;
}

/* The named capabilities, those of them that we have, and no other. */
static bool keep_capabilities(const struct sandbox_options *options)
{
    cap_t only = cap_init();
    bool ok = only != NULL;
    for (cap_value_t c = 0; ok && c < cap_max_bits(); c++) {
        if (is_kept(options, c) && has_capability(c, CAP_PERMITTED)) {
            ok = cap_set_flag(only, CAP_PERMITTED, 1, &c, CAP_SET) == 0 &&
                 cap_set_flag(only, CAP_EFFECTIVE, 1, &c, CAP_SET) == 0;
        }
    }
    ok =
        ok && cap_set_proc(only) == 0 && cap_reset_ambient() == 0 && prctl(PR_SET_KEEPCAPS, 0) == 0;
    cap_free(only);
    return ok;
}

/* ---- in order ------------------------------------------------------------------------------ */

/* "cannot WHATNAMEREST: cause"; errno, the cause, stays. */
static bool fail(char **error, const char *what, const char *name, const char *rest)
{
    int why = errno;
    *error = g_strdup_printf("cannot %s%s%s: %s", what, name, rest, g_strerror(why));
    errno = why;
    return false;
}

static bool become(const struct identity *identity, const char *name, char **error)
{
    gid_t group = identity->group;
    uid_t user = identity->user;
    if (geteuid() != 0) {
        if (user == geteuid() && group == getegid()) {
            return true;
        }
        *error = g_strdup_printf("cannot become user %s: only root can; start as root, or as that "
                                 "user without -u",
                                 name);
        errno = EPERM;
        return false;
    }
    if (prctl(PR_SET_KEEPCAPS, 1) != 0 ||
        setgroups((size_t)identity->group_count, identity->groups) != 0 ||
        setresgid(group, group, group) != 0 || setresuid(user, user, user) != 0) {
        return fail(error, "become user ", name, "");
    }
    return true;
}

bool sandbox_enter(const struct sandbox_options *options, char **error)
{
    struct identity identity;
    if (options->user && !identity_find(options->user, &identity, error)) {
        errno = ENOENT;
        return false;
    }
    if (options->root && (chroot(options->root) != 0 || chdir("/") != 0)) {
        return fail(error, "make ", options->root, " the root directory");
    }
    if (!drop_bounds(options)) {
        return fail(error, "drop capabilities from the bounding set", "", "");
    }
    if (options->user && !become(&identity, options->user, error)) {
        return false;
    }
    if (!keep_capabilities(options) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return fail(error, "drop capabilities", "", "");
    }
    return true;
}
