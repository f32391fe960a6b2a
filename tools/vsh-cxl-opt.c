/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-opt.c: the options of a command, in virsh's grammar
 *
 * virsh's grammar differs from getopt's: options have long names only, which cannot be
 * abbreviated; options and positional data may come in any order; the word after an
 * option that takes a value is its value, whatever it looks like; "--" ends the options;
 * and a word with a single dash is data. Each command is described by one table, from
 * which parsing, synopsis and help all derive. An error begins with virsh's words, so
 * that a user sees no seam between its commands and ours, and goes on to say what would
 * be right.
 */

#include <errno.h>
#include <gio/gio.h>
#include <limits.h>
#include <string.h>

#include "vsh-cxl-opt.h"
#include "vsh-cxl-size.h"

typedef struct {
    bool given;
    const char *string;        /* the value as written; NULL for bool */
    unsigned long long number; /* the value of INT and SIZE; the index in a list of allowed
                                * values */
} vshCxlArgsValue;

struct _vshCxlArgs {
    const vshCxlCmdDef *cmd;
    bool help;               /* --help was given */
    char **words;            /* owns the strings of values */
    vshCxlArgsValue *values; /* one for each of cmd->opts, in the same order */
};

static int vshCxlArgsError(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static int
vshCxlArgsError(GError **error, const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list args;

    va_start(args, format);
    message = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, message);
    return -1;
}

/* The largest number that @opt accepts. */
static unsigned int
vshCxlOptMax(const vshCxlOptDef *opt)
{
    return opt->max ? opt->max : UINT_MAX;
}

static const char *
vshCxlOptTypeToString(vshCxlOptType type)
{
    return type == VSH_CXL_OPT_STRING ? "string" : "number";
}

/* "--one, --two": the options that the command of @args accepts. */
static char *
vshCxlArgsFormatNames(const vshCxlArgs *args)
{
    GString *names = g_string_new(NULL);
    const vshCxlOptDef *opt;

    for (opt = args->cmd->opts; opt->name; opt++)
        g_string_append_printf(names, "%s--%s", names->len ? ", " : "", opt->name);
    return g_string_free(names, FALSE);
}

/**
 * vshCxlArgsSetChoice:
 * @opt: an option with a list of allowed values
 * @value: its value; string is set, number is set to the index in the list
 * @error: set to what would be right
 *
 * Returns 0 on success, -1 with @error set.
 */
static int
vshCxlArgsSetChoice(const vshCxlOptDef *opt, vshCxlArgsValue *value, GError **error)
{
    g_autofree char *known = g_strjoinv(", ", (char **)opt->values);

    for (value->number = 0; opt->values[value->number]; value->number++) {
        if (g_str_equal(opt->values[value->number], value->string))
            return 0;
    }
    return vshCxlArgsError(error,
                           "Invalid value '%s' for <%s> option: expected one of %s",
                           value->string,
                           opt->name,
                           known);
}

/* Like vshCxlArgsSetNumber(), for a size. */
static int
vshCxlArgsSetSize(const vshCxlOptDef *opt, vshCxlArgsValue *value, GError **error)
{
    g_autofree char *multiple = vshCxlSizeFormat(opt->multiple);
    g_autofree char *right =
        g_strdup_printf("expected a multiple of %s%s", multiple, opt->min ? ", and not 0" : "");
    g_autoptr(GError) reason = NULL;

    if (vshCxlSizeParse(value->string, &value->number, &reason) == 0 && value->number >= opt->min &&
        (!opt->multiple || value->number % opt->multiple == 0))
        return 0;
    return vshCxlArgsError(
        error,
        "Scaled numeric value '%s' for <%s> option is malformed or out of range: %s",
        value->string,
        opt->name,
        reason ? reason->message : right);
}

/**
 * vshCxlArgsSetNumber:
 * @opt: the option
 * @value: its value; string is set, number is filled in
 * @error: set to what is wrong with the string
 *
 * Returns 0 on success, -1 with @error set.
 */
static int
vshCxlArgsSetNumber(const vshCxlOptDef *opt, vshCxlArgsValue *value, GError **error)
{
    char *end = NULL;

    errno = 0;
    value->number = g_ascii_strtoull(value->string, &end, 10);
    if (!g_ascii_isdigit(*value->string) || *end || errno != 0 || value->number < opt->min ||
        value->number > vshCxlOptMax(opt)) {
        return vshCxlArgsError(error,
                               "Numeric value '%s' for <%s> option is malformed or out of range: "
                               "expected a number from %u to %u",
                               value->string,
                               opt->name,
                               opt->min,
                               vshCxlOptMax(opt));
    }
    return 0;
}

static int
vshCxlArgsSetString(const vshCxlOptDef *opt, vshCxlArgsValue *value, GError **error)
{
    const char *fault = opt->fault ? opt->fault(value->string) : NULL;

    if (opt->values)
        return vshCxlArgsSetChoice(opt, value, error);
    if (!fault)
        return 0;
    return vshCxlArgsError(error,
                           "Invalid value '%s' for <%s> option: %s",
                           value->string,
                           opt->name,
                           fault);
}

/**
 * vshCxlArgsSet:
 * @opt: the option
 * @value: where to store its value
 * @string: the value as written, NULL for bool
 * @error: set to what is wrong with @string
 *
 * Returns 0 on success, -1 with @error set.
 */
static int
vshCxlArgsSet(const vshCxlOptDef *opt, vshCxlArgsValue *value, const char *string, GError **error)
{
    value->given = true;
    value->string = string;

    if (opt->type == VSH_CXL_OPT_BOOL)
        return 0;
    if (!*string) {
        return vshCxlArgsError(error,
                               "Failed to get option '%s': Option argument is empty: expected "
                               "--%s <%s>",
                               opt->name,
                               opt->name,
                               vshCxlOptTypeToString(opt->type));
    }
    if (opt->type == VSH_CXL_OPT_STRING)
        return vshCxlArgsSetString(opt, value, error);
    if (opt->type == VSH_CXL_OPT_SIZE)
        return vshCxlArgsSetSize(opt, value, error);
    return vshCxlArgsSetNumber(opt, value, error);
}

/**
 * vshCxlArgsParseData:
 * @args: the arguments so far
 * @word: a word that is not an option
 * @error: set if no positional option is left to take it
 *
 * Returns 0 on success, -1 with @error set.
 */
static int
vshCxlArgsParseData(vshCxlArgs *args, const char *word, GError **error)
{
    const vshCxlOptDef *opts = args->cmd->opts;
    g_autofree char *names = vshCxlArgsFormatNames(args);
    size_t i;

    for (i = 0; opts[i].name; i++) {
        if (opts[i].positional && !args->values[i].given)
            return vshCxlArgsSet(&opts[i], &args->values[i], word, error);
    }
    return vshCxlArgsError(error,
                           "unexpected data '%s': command '%s' takes %s",
                           word,
                           args->cmd->name,
                           names);
}

/**
 * vshCxlArgsParseOption:
 * @args: the arguments so far
 * @words: the words from the option on; the first begins with "--"
 * @error: set to what is wrong
 *
 * Returns the number of words consumed, or -1 with @error set.
 */
static int
vshCxlArgsParseOption(vshCxlArgs *args, char **words, GError **error)
{
    const vshCxlOptDef *opts = args->cmd->opts;
    const char *equals = strchr(words[0], '=');
    g_autofree char *name = NULL;
    const char *string;
    size_t i;

    name =
        equals ? g_strndup(words[0] + 2, (gsize)(equals - words[0]) - 2) : g_strdup(words[0] + 2);

    if (g_str_equal(name, "help") && !equals) {
        args->help = true;
        return 1;
    }
    for (i = 0; opts[i].name && !g_str_equal(opts[i].name, name); i++)
        ;
    if (!opts[i].name) {
        g_autofree char *names = vshCxlArgsFormatNames(args);

        return vshCxlArgsError(error,
                               "command '%s' doesn't support option --%s: it takes %s",
                               args->cmd->name,
                               name,
                               names);
    }
    if (args->values[i].given)
        return vshCxlArgsError(error, "option --%s already seen: give it once", name);

    if (opts[i].type == VSH_CXL_OPT_BOOL) {
        if (equals)
            return vshCxlArgsError(error, "invalid '=' after option --%s: it takes no value", name);
        return vshCxlArgsSet(&opts[i], &args->values[i], NULL, error) < 0 ? -1 : 1;
    }

    string = equals ? equals + 1 : words[1];
    if (!string) {
        return vshCxlArgsError(error,
                               "option --%s has no value: expected syntax: --%s <%s>",
                               name,
                               name,
                               vshCxlOptTypeToString(opts[i].type));
    }
    if (vshCxlArgsSet(&opts[i], &args->values[i], string, error) < 0)
        return -1;
    return equals ? 1 : 2;
}

static int
vshCxlArgsCheckRequired(const vshCxlArgs *args, GError **error)
{
    const vshCxlOptDef *opts = args->cmd->opts;
    size_t i;

    for (i = 0; opts[i].name; i++) {
        if (opts[i].required && !args->values[i].given) {
            return vshCxlArgsError(error,
                                   "command '%s' requires <%s> option",
                                   args->cmd->name,
                                   opts[i].name);
        }
    }
    return 0;
}

/**
 * vshCxlArgsParse:
 * @cmd: the command
 * @words: the words after its name, NULL-terminated; they are copied
 * @error: set to what is wrong, in virsh's words
 *
 * Once --help is found, neither what follows it nor what is missing matters.
 *
 * Returns the arguments, or NULL with @error set.
 */
vshCxlArgs *
vshCxlArgsParse(const vshCxlCmdDef *cmd, char **words, GError **error)
{
    g_autoptr(vshCxlArgs) args = g_new0(vshCxlArgs, 1);
    bool options = true;
    size_t nopts = 0;
    char **word;

    while (cmd->opts[nopts].name)
        nopts++;
    args->cmd = cmd;
    args->words = g_strdupv(words);
    args->values = g_new0(vshCxlArgsValue, nopts);

    word = args->words;
    while (*word && !args->help) {
        if (options && g_str_equal(*word, "--")) {
            options = false;
            word++;
        } else if (options && g_str_has_prefix(*word, "--")) {
            int took = vshCxlArgsParseOption(args, word, error);

            if (took < 0)
                return NULL;
            word += took;
        } else {
            if (vshCxlArgsParseData(args, *word, error) < 0)
                return NULL;
            word++;
        }
    }

    if (!args->help && vshCxlArgsCheckRequired(args, error) < 0)
        return NULL;
    return g_steal_pointer(&args);
}

/**
 * vshCxlArgsFree:
 * @args: the arguments, or NULL
 */
void
vshCxlArgsFree(vshCxlArgs *args)
{
    if (!args)
        return;
    g_strfreev(args->words);
    g_free(args->values);
    g_free(args);
}

/**
 * vshCxlArgsIsHelp:
 * @args: the arguments
 *
 * Returns whether --help was given; if so, nothing else in @args is meaningful.
 */
bool
vshCxlArgsIsHelp(const vshCxlArgs *args)
{
    return args->help;
}

/* A name that is not in the command's table is a programming error. */
static const vshCxlArgsValue *
vshCxlArgsGet(const vshCxlArgs *args, const char *name)
{
    size_t i;

    for (i = 0; args->cmd->opts[i].name; i++) {
        if (g_str_equal(args->cmd->opts[i].name, name))
            return &args->values[i];
    }
    g_error("command '%s' has no option --%s", args->cmd->name, name);
}

/**
 * vshCxlArgsHas:
 * @args: the arguments
 * @name: an option of the command
 *
 * Returns whether it was given.
 */
bool
vshCxlArgsHas(const vshCxlArgs *args, const char *name)
{
    return vshCxlArgsGet(args, name)->given;
}

/**
 * vshCxlArgsString:
 * @args: the arguments
 * @name: an option of the command that takes a value
 *
 * Returns its value as written, never empty; NULL if it was not given.
 */
const char *
vshCxlArgsString(const vshCxlArgs *args, const char *name)
{
    return vshCxlArgsGet(args, name)->string;
}

/**
 * vshCxlArgsNumber:
 * @args: the arguments
 * @name: an option of the command of type int or size
 *
 * Returns its value, 0 if it was not given.
 */
unsigned long long
vshCxlArgsNumber(const vshCxlArgs *args, const char *name)
{
    return vshCxlArgsGet(args, name)->number;
}

/**
 * vshCxlArgsChoice:
 * @args: the arguments
 * @name: an option of the command that has a list of allowed values
 *
 * Returns the index of the value that was given, or -1 if the option was not given.
 */
int
vshCxlArgsChoice(const vshCxlArgs *args, const char *name)
{
    const vshCxlArgsValue *value = vshCxlArgsGet(args, name);

    return value->given ? (int)value->number : -1;
}

static void
vshCxlOptFormatSynopsis(const vshCxlOptDef *opt, GString *out)
{
    g_autofree char *text = NULL;

    if (opt->positional)
        text = g_strdup_printf("<%s>", opt->name);
    else if (opt->type == VSH_CXL_OPT_BOOL)
        text = g_strdup_printf("--%s", opt->name);
    else
        text = g_strdup_printf("--%s <%s>", opt->name, vshCxlOptTypeToString(opt->type));

    g_string_append_printf(out, opt->required ? " %s" : " [%s]", text);
}

static void
vshCxlOptFormatHelp(const vshCxlOptDef *opt, GString *out)
{
    g_autofree char *text = NULL;

    if (opt->type == VSH_CXL_OPT_BOOL) {
        text = g_strdup_printf("--%s", opt->name);
    } else {
        text = g_strdup_printf(opt->positional ? "[--%s] <%s>" : "--%s <%s>",
                               opt->name,
                               vshCxlOptTypeToString(opt->type));
    }
    g_string_append_printf(out, "    %-15s  %s\n", text, opt->help);
}

/**
 * vshCxlCmdFormatHelp:
 * @cmd: the command
 *
 * Returns the command's help, as `virsh help COMMAND` would print it.
 */
char *
vshCxlCmdFormatHelp(const vshCxlCmdDef *cmd)
{
    GString *out = g_string_new(NULL);
    g_auto(GStrv) lines = g_strsplit(cmd->desc, "\n", -1);
    size_t i;

    g_string_append_printf(out, "  NAME\n    %s - %s\n\n", cmd->name, cmd->help);

    g_string_append_printf(out, "  SYNOPSIS\n    %s", cmd->name);
    for (i = 0; cmd->opts[i].name; i++)
        vshCxlOptFormatSynopsis(&cmd->opts[i], out);

    g_string_append(out, "\n\n  DESCRIPTION\n");
    for (i = 0; lines[i]; i++)
        g_string_append_printf(out, "    %s\n", lines[i]);

    g_string_append(out, "\n  OPTIONS\n");
    for (i = 0; cmd->opts[i].name; i++)
        vshCxlOptFormatHelp(&cmd->opts[i], out);
    g_string_append_c(out, '\n');
    return g_string_free(out, FALSE);
}
