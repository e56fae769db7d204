/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names of the libraries and of the class of CPU; see platform.h. Nothing acts on them.
 */
#include "platform.h"

#include <glib.h>
#include <gnu/libc-version.h>
#include <gsl/gsl_version.h>
#include <stdbool.h>
#include <string.h>
#include <sys/utsname.h>

/* Whether a CPU flag stands in the kernel's list; libm chooses its variants by fma and avx2. */
static bool has_flag(const char *info, const char *flag)
{
    const char *at = strstr(info, "\nflags");
    const char *end = at ? strchr(at + 1, '\n') : NULL;
    char *padded = at ? g_strndup(at, end ? (size_t)(end - at) : strlen(at)) : g_strdup("");
    char **words = g_strsplit_set(padded, " \t:", -1);
    bool found = g_strv_contains((const char *const *)words, flag);
    g_strfreev(words);
    g_free(padded);
    return found;
}

char *platform_text(void)
{
    struct utsname system;
    char *info = NULL;
    const char *machine = uname(&system) == 0 ? system.machine : "unknown machine";
    if (!g_file_get_contents("/proc/cpuinfo", &info, NULL, NULL)) {
        info = g_strdup("");
    }
    bool fma = has_flag(info, "fma"), avx2 = has_flag(info, "avx2");
    char *text = g_strdup_printf("glibc %s, GSL %s, %s%s%s", gnu_get_libc_version(), gsl_version,
                                 machine, fma ? " with fma" : "", avx2 ? " avx2" : "");
    g_free(info);
    return text;
}
