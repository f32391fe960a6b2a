/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-complete.c: completion of a word being typed
 *
 * Serves both bash's completion, which calls it through a hidden command, and this
 * program's own shell. For one of our commands, the words before the last are read as the
 * command's parser reads them, but leniently, as the line is unfinished; the last word is
 * then an option, an option's value, or the next positional. For one of virsh's commands,
 * virsh's own completion is asked.
 *
 * The user is waiting at the keyboard: nothing is printed, no password is prompted for
 * (the connection has no way to), and no daemon is started; if none is running there are
 * no candidates. virsh lists its commands only over a connection; its test driver
 * provides one without a daemon.
 */

#include <libvirt/virterror.h>
#include <string.h>

#include "vsh-cxl-cmd.h"
#include "vsh-cxl-complete.h"
#include "vsh-cxl-stock.h"

/* A command being typed. */
typedef struct {
    const vshCxlControl *ctl;
    const vshCxlCmdDef *cmd;
    bool *given;            /* which of its options were given, one flag for each */
    const vshCxlOptDef *at; /* the option whose value is being typed, or NULL */
    bool data;              /* "--" was given: the last word is not an option */
    const char *domain;     /* values given so far, or NULL */
    const char *device;
    virConnectPtr conn; /* NULL until it is needed */
    GPtrArray *values;  /* the candidates */
} vshCxlTyped;

static void
vshCxlTypedAdd(vshCxlTyped *typed, const char *value)
{
    /* candidates are printed one per line */
    if (!strchr(value, '\n'))
        g_ptr_array_add(typed->values, g_strdup(value));
}

/* ------------------------------------------------------- values of options */

static bool
vshCxlTypedConnect(vshCxlTyped *typed)
{
    if (!typed->conn && typed->ctl->conn && virConnectRef(typed->ctl->conn) == 0)
        typed->conn = typed->ctl->conn;
    if (!typed->conn)
        typed->conn = virConnectOpenReadOnly(typed->ctl->uri);
    return typed->conn != NULL;
}

static void
vshCxlTypedAddDomains(vshCxlTyped *typed)
{
    g_autofree virDomainPtr *domains = NULL;
    int n;
    int i;

    if (!vshCxlTypedConnect(typed))
        return;
    n = virConnectListAllDomains(typed->conn, &domains, 0);
    for (i = 0; i < n; i++) {
        vshCxlTypedAdd(typed, virDomainGetName(domains[i]));
        virDomainFree(domains[i]);
    }
}

/* The devices of the domain on the command line, or NULL. */
static GPtrArray *
vshCxlTypedGetDevices(vshCxlTyped *typed)
{
    static const vshCxlOptDef opts[] = {VSH_CXL_OPT_DEF_DOMAIN, {0}};
    static const vshCxlCmdDef lookup = {.name = VSH_CXL_COMPLETE, .opts = opts};
    char *words[] = {(char *)"--domain", (char *)typed->domain, NULL};
    g_autoptr(vshCxlArgs) args = NULL;
    g_autoptr(virDomain) domain = NULL;
    vshCxlControl quiet = {0};

    if (!typed->domain || !vshCxlTypedConnect(typed) ||
        !(args = vshCxlArgsParse(&lookup, words, NULL)) ||
        !(quiet.out = quiet.err = fopen("/dev/null", "w")))
        return NULL;
    quiet.conn = typed->conn;
    domain = vshCxlLookupDomain(&quiet, args);
    fclose(quiet.out);
    return domain ? vshCxlGetDevices(domain, 0) : NULL;
}

static void
vshCxlTypedAddDevices(vshCxlTyped *typed)
{
    g_autoptr(GPtrArray) devices = vshCxlTypedGetDevices(typed);
    size_t i;

    for (i = 0; devices && i < devices->len; i++)
        vshCxlTypedAdd(typed, ((virDomainCxlDcdDevicePtr)g_ptr_array_index(devices, i))->alias);
}

static void
vshCxlTypedAddTags(vshCxlTyped *typed)
{
    g_autoptr(GPtrArray) devices = NULL;
    size_t i;
    size_t j;

    /* cxl-dcd-add takes a new tag */
    if (typed->cmd == &vshCxlCmdAdd)
        return;
    devices = vshCxlTypedGetDevices(typed);
    for (i = 0; devices && i < devices->len; i++) {
        const virDomainCxlDcdDevice *device = g_ptr_array_index(devices, i);

        for (j = 0; j < device->ncapacities; j++) {
            if (!typed->device || g_str_equal(device->alias, typed->device))
                vshCxlTypedAdd(typed, device->capacities[j]->tag);
        }
    }
}

/* Values that only libvirt knows; an option means the same in every command that has it. An
 * option missing here has a fixed set of values, or values that nobody can know, or names a
 * file, which the shell completes. */
static const struct {
    const char *name;
    void (*add)(vshCxlTyped *typed);
} vshCxlTypedValues[] = {
    {"domain", vshCxlTypedAddDomains},
    {"device", vshCxlTypedAddDevices},
    {"tag", vshCxlTypedAddTags},
};

static void
vshCxlTypedAddValues(vshCxlTyped *typed, const vshCxlOptDef *opt)
{
    size_t i;

    for (i = 0; opt->values && opt->values[i]; i++)
        vshCxlTypedAdd(typed, opt->values[i]);
    for (i = 0; i < G_N_ELEMENTS(vshCxlTypedValues); i++) {
        if (g_str_equal(vshCxlTypedValues[i].name, opt->name))
            vshCxlTypedValues[i].add(typed);
    }
}

/* ------------------------------------------------------- a command of ours */

/* Record the value of an option. */
static void
vshCxlTypedSet(vshCxlTyped *typed, const vshCxlOptDef *opt, const char *value)
{
    if (g_str_equal(opt->name, "domain"))
        typed->domain = value;
    else if (g_str_equal(opt->name, "device"))
        typed->device = value;
}

/* The option that @word names, up to any '='; NULL if the command has no such option. */
static const vshCxlOptDef *
vshCxlTypedFind(vshCxlTyped *typed, const char *word)
{
    size_t length = strcspn(word, "=") - 2;
    size_t i;

    for (i = 0; typed->cmd->opts[i].name; i++) {
        if (strlen(typed->cmd->opts[i].name) == length &&
            strncmp(typed->cmd->opts[i].name, word + 2, length) == 0) {
            typed->given[i] = true;
            return &typed->cmd->opts[i];
        }
    }
    return NULL;
}

/* The first positional option not given yet; NULL if there is none. */
static const vshCxlOptDef *
vshCxlTypedPositional(vshCxlTyped *typed)
{
    size_t i;

    for (i = 0; typed->cmd->opts[i].name; i++) {
        if (typed->cmd->opts[i].positional && !typed->given[i]) {
            typed->given[i] = true;
            return &typed->cmd->opts[i];
        }
    }
    return NULL;
}

/* Process a finished word. */
static void
vshCxlTypedTake(vshCxlTyped *typed, const char *word)
{
    const vshCxlOptDef *opt;

    if (typed->at) {
        vshCxlTypedSet(typed, typed->at, word);
        typed->at = NULL;
    } else if (!typed->data && g_str_equal(word, "--")) {
        typed->data = true;
    } else if (!typed->data && g_str_has_prefix(word, "--")) {
        const char *equals = strchr(word, '=');

        opt = vshCxlTypedFind(typed, word);
        if (opt && equals)
            vshCxlTypedSet(typed, opt, equals + 1);
        else if (opt && opt->type != VSH_CXL_OPT_BOOL)
            typed->at = opt;
    } else if ((opt = vshCxlTypedPositional(typed))) {
        vshCxlTypedSet(typed, opt, word);
    }
}

static void
vshCxlTypedAddOptions(vshCxlTyped *typed)
{
    size_t i;

    for (i = 0; typed->cmd->opts[i].name; i++) {
        g_autofree char *option = g_strdup_printf("--%s", typed->cmd->opts[i].name);

        if (!typed->given[i])
            vshCxlTypedAdd(typed, option);
    }
}

/* Complete the value in "--option=value". */
static void
vshCxlTypedAddAssigned(vshCxlTyped *typed, const char *word)
{
    const vshCxlOptDef *opt = vshCxlTypedFind(typed, word);
    size_t i;

    if (!opt)
        return;
    vshCxlTypedAddValues(typed, opt);
    for (i = 0; i < typed->values->len; i++) {
        char **value = (char **)&g_ptr_array_index(typed->values, i);
        char *whole = g_strdup_printf("--%s=%s", opt->name, *value);

        g_free(*value);
        *value = whole;
    }
}

/* The word that is being typed. */
static void
vshCxlTypedAddLast(vshCxlTyped *typed, const char *word)
{
    const vshCxlOptDef *opt;

    if (typed->at) {
        vshCxlTypedAddValues(typed, typed->at);
    } else if (!typed->data && g_str_has_prefix(word, "--") && strchr(word, '=')) {
        vshCxlTypedAddAssigned(typed, word);
    } else if (!typed->data && *word == '-') {
        vshCxlTypedAddOptions(typed);
    } else if ((opt = vshCxlTypedPositional(typed))) {
        vshCxlTypedAddValues(typed, opt);
    } else if (!typed->data) {
        vshCxlTypedAddOptions(typed);
    }
}

static void
vshCxlCompleteOurs(const vshCxlControl *ctl,
                   const vshCxlCmdDef *cmd,
                   char **words,
                   GPtrArray *values)
{
    vshCxlTyped typed = {.ctl = ctl, .cmd = cmd, .values = values};
    g_autofree bool *given = NULL;
    size_t n = 0;

    while (cmd->opts[n].name)
        n++;
    typed.given = given = g_new0(bool, n);
    for (; words[1]; words++)
        vshCxlTypedTake(&typed, *words);
    vshCxlTypedAddLast(&typed, *words);
    if (typed.conn)
        virConnectClose(typed.conn);
    virResetLastError();
}

/* ------------------------------------------------------ a command of virsh */

static void
vshCxlCompleteStock(const vshCxlControl *ctl, const char *uri, char **words, GPtrArray *values)
{
    g_autoptr(GPtrArray) args = g_ptr_array_new();
    g_autofree char *output = NULL;
    g_auto(GStrv) lines = NULL;
    size_t i;

    g_ptr_array_add(args, (char *)"virsh");
    g_ptr_array_add(args, (char *)"--quiet");
    if (ctl->readonly)
        g_ptr_array_add(args, (char *)"--readonly");
    if (uri) {
        g_ptr_array_add(args, (char *)"--connect");
        g_ptr_array_add(args, (char *)uri);
    }
    g_ptr_array_add(args, (char *)"complete");
    g_ptr_array_add(args, (char *)"--");
    for (i = 0; words[i]; i++)
        g_ptr_array_add(args, words[i]);
    g_ptr_array_add(args, NULL);

    output = vshCxlStockRead((char **)args->pdata);
    lines = g_strsplit(output ? output : "", "\n", -1);
    for (i = 0; lines[i]; i++) {
        if (*lines[i] && !g_str_equal(lines[i], "--"))
            g_ptr_array_add(values, g_strdup(lines[i]));
    }
}

static void
vshCxlCompleteCommands(const vshCxlControl *ctl, char **words, GPtrArray *values)
{
    const vshCxlCmdDef *cmd;
    size_t i;

    for (i = 0; (cmd = vshCxlCmdGet(i)); i++)
        g_ptr_array_add(values, g_strdup(cmd->name));
    vshCxlCompleteStock(ctl, "test:///default", words, values);
}

/* ------------------------------------------------------------- any command */

static int
vshCxlCompleteCompare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/**
 * vshCxlComplete:
 * @ctl: the run; its connection is used if there is one
 * @words: a command and its arguments so far, at least one word; the last one, possibly
 *         empty, is being typed
 *
 * Returns the candidates for the last word, sorted and without duplicates,
 * NULL-terminated.
 */
char **
vshCxlComplete(const vshCxlControl *ctl, char **words)
{
    g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);
    GPtrArray *result = g_ptr_array_new();
    const char *last = words[g_strv_length(words) - 1];
    const vshCxlCmdDef *cmd = vshCxlCmdFind(words[0]);
    const char *before = NULL;
    size_t i;

    if (!words[1])
        vshCxlCompleteCommands(ctl, words, values);
    else if (cmd)
        vshCxlCompleteOurs(ctl, cmd, words + 1, values);
    else if (g_str_equal(words[0], "help") && !words[2])
        vshCxlCompleteCommands(ctl, words, values);
    else
        vshCxlCompleteStock(ctl, ctl->uri, words, values);

    g_ptr_array_sort(values, vshCxlCompleteCompare);
    for (i = 0; i < values->len; i++) {
        const char *value = g_ptr_array_index(values, i);

        if (g_str_has_prefix(value, last) && g_strcmp0(value, before) != 0)
            g_ptr_array_add(result, g_strdup(value));
        before = value;
    }
    g_ptr_array_add(result, NULL);
    return (char **)g_ptr_array_free(result, FALSE);
}

/**
 * vshCxlCompletePrint:
 * @ctl: the run
 * @words: the words after the hidden command, possibly none
 *
 * Print the candidates for the last word, one per line.
 *
 * Returns the exit status.
 */
int
vshCxlCompletePrint(vshCxlControl *ctl, char **words)
{
    static char *none[] = {(char *)"", NULL};
    g_auto(GStrv) values = NULL;
    size_t i;

    if (*words && g_str_equal(*words, "--"))
        words++;
    /* otherwise libvirt would start a session daemon */
    g_setenv("LIBVIRT_AUTOSTART", "0", TRUE);
    values = vshCxlComplete(ctl, *words ? words : none);
    for (i = 0; values[i]; i++)
        fprintf(ctl->out, "%s\n", values[i]);
    return 0;
}
