/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * command.c: the commands, one function each: arguments in, lines out
 *
 * The table at the end is the only list of them. Output is one line per item,
 * words and values in turn, the same whether a command runs on its own or in
 * serve. N is decimal, 0xN hexadecimal in bytes, EXTENT is
 * "region N offset 0xN size 0xN dpa 0xN tag UUID":
 *
 *   list      device N address A serial 0xN port A number N regions N
 *             capacity 0xN                          (on one line)
 *   config    region N dpa 0xN size 0xN decode 0xN block 0xN
 *             extents supported N available N
 *             tags supported N available N
 *   extents   EXTENT
 *   events    handle N add|release|... EXTENT more 0|1
 *   accept    accepted EXTENT; postponed EXTENT     (see driver.c)
 *   refuse    refused EXTENT; postponed EXTENT
 *   release   released EXTENT; skipped EXTENT
 *   map       mapped device N base 0xN size 0xN
 *   unmap     unmapped device N
 *   read      the bytes in hexadecimal
 *   write     nothing
 *   raw       code N NAME, and on a second line: payload HEX
 *
 * Usage errors are of the domain G_OPTION_ERROR, and if possible are reported
 * before anything is done.
 */

#include "command.h"

#include "driver.h"

#include <string.h>

/* A command that is being run. */
typedef struct _Command Command;
struct _Command {
    GPtrArray *devices; /* the selected ones; exactly one for a command that takes one device */
    CxlDevice *device;  /* the first of them */
    char **arguments;   /* without options, the command's name first */
    GString *output;
};

/* The options of all commands; each command takes some. */
typedef struct _CommandOptions CommandOptions;
struct _CommandOptions {
    char *tag;
    char *offset;
    char *size;
    char *region;
};

/**
 * commandOptionsClear:
 * @options: what is freed in it
 */
static void
commandOptionsClear(CommandOptions *options)
{
    g_free(options->tag);
    g_free(options->offset);
    g_free(options->size);
    g_free(options->region);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CommandOptions, commandOptionsClear)

/**
 * commandParseOptions:
 * @arguments: a command that takes nothing but options; they are taken out
 * @entries: the options that the command has, may be NULL
 * @error: set on failure
 *
 * Returns 0, or -1 with @error set.
 */
int
commandParseOptions(char ***arguments, const GOptionEntry *entries, GError **error)
{
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);

    g_option_context_set_help_enabled(context, FALSE);
    if (entries)
        g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse_strv(context, arguments, error))
        return -1;
    if (g_strv_length(*arguments) > 1) {
        g_set_error(error,
                    G_OPTION_ERROR,
                    G_OPTION_ERROR_FAILED,
                    "%s does not take the argument '%s'",
                    (*arguments)[0],
                    (*arguments)[1]);
        return -1;
    }
    return 0;
}

/**
 * commandParseNumber:
 * @text: a number, decimal or in hexadecimal after "0x"
 * @what: its name, for the error
 * @limit: the largest that is allowed
 * @value: set to the number
 * @error: set on failure
 *
 * Returns 0, or -1 with @error set.
 */
int
commandParseNumber(const char *text,
                   const char *what,
                   guint64 limit,
                   guint64 *value,
                   GError **error)
{
    gboolean hexadecimal = g_str_has_prefix(text, "0x");

    if (g_ascii_string_to_unsigned(hexadecimal ? text + 2 : text,
                                   hexadecimal ? 16 : 10,
                                   0,
                                   limit,
                                   value,
                                   NULL))
        return 0;
    g_set_error(error,
                G_OPTION_ERROR,
                G_OPTION_ERROR_BAD_VALUE,
                "the %s '%s' is not a number from 0 to %" G_GUINT64_FORMAT,
                what,
                text,
                limit);
    return -1;
}

/**
 * commandList:
 * @command: run for all devices chosen
 * @error: unused
 *
 * Returns 0.
 */
static int
commandList(Command *command, GError **error G_GNUC_UNUSED)
{
    guint i;

    for (i = 0; i < command->devices->len; i++) {
        CxlDevice *device = g_ptr_array_index(command->devices, i);
        g_autofree char *address = pciFormatAddress(device->address);
        g_autofree char *port = pciFormatAddress(device->port);

        g_string_append_printf(command->output,
                               "device %u address %s serial 0x%" G_GINT64_MODIFIER
                               "x port %s number %u "
                               "regions %u capacity 0x%" G_GINT64_MODIFIER "x\n",
                               device->index,
                               address,
                               device->serial,
                               port,
                               device->portNumber,
                               device->regionCount,
                               cxlDeviceSpan(device));
    }
    return 0;
}

/**
 * commandConfig:
 * @command: run for one device
 * @error: set on failure
 *
 * Returns 0, or -1 with @error set.
 */
static int
commandConfig(Command *command, GError **error)
{
    CxlDevice *device = command->device;
    DcdLimits limits;
    guint i;

    if (dcdReadRegions(device, &limits, error) < 0)
        return -1;

    for (i = 0; i < device->regionCount; i++) {
        const CxlRegion *region = &device->regions[i];

        g_string_append_printf(command->output,
                               "region %u dpa 0x%" G_GINT64_MODIFIER "x size 0x%" G_GINT64_MODIFIER
                               "x decode 0x%" G_GINT64_MODIFIER "x block 0x%" G_GINT64_MODIFIER
                               "x\n",
                               i,
                               region->dpa,
                               region->size,
                               region->decodeLength,
                               region->blockSize);
    }
    g_string_append_printf(command->output,
                           "extents supported %u available %u\n"
                           "tags supported %u available %u\n",
                           limits.extentsSupported,
                           limits.extentsAvailable,
                           limits.tagsSupported,
                           limits.tagsAvailable);
    return 0;
}

/**
 * commandExtents:
 * @command: run for one device
 * @error: set on failure
 *
 * Returns 0, or -1 with @error set.
 */
static int
commandExtents(Command *command, GError **error)
{
    g_autoptr(GArray) extents = dcdReadExtents(command->device, error);
    guint i;

    if (!extents)
        return -1;

    for (i = 0; i < extents->len; i++) {
        dcdFormatExtent(command->output, command->device, &g_array_index(extents, DcdExtent, i));
        g_string_append_c(command->output, '\n');
    }
    return 0;
}

/**
 * commandEvents:
 * @command: run for one device
 * @error: set on failure
 *
 * Returns 0, or -1 with @error set.
 */
static int
commandEvents(Command *command, GError **error)
{
    g_autoptr(GArray) events = dcdReadEvents(command->device, error);
    guint i;

    if (!events)
        return -1;

    for (i = 0; i < events->len; i++) {
        const DcdEvent *event = &g_array_index(events, DcdEvent, i);

        g_string_append_printf(command->output,
                               "handle %u %s ",
                               event->handle,
                               dcdEventName(event->type));
        dcdFormatExtent(command->output, command->device, &event->extent);
        g_string_append_printf(command->output, " more %d\n", event->more);
    }
    return 0;
}

/**
 * commandAnswer:
 * @command: run for one device
 * @accept: whether to accept or to refuse
 * @error: set on failure
 *
 * Returns 0, or -1 with @error set.
 */
static int
commandAnswer(Command *command, gboolean accept, GError **error)
{
    g_auto(CommandOptions) options = {.tag = NULL};
    const GOptionEntry entries[] = {{.long_name = "tag",
                                     .arg = G_OPTION_ARG_STRING,
                                     .arg_data = &options.tag},
                                    {.long_name = NULL}};
    guint8 tag[DCD_TAG_SIZE];

    if (commandParseOptions(&command->arguments, entries, error) < 0 ||
        (options.tag && dcdParseTag(options.tag, tag, error) < 0))
        return -1;
    return driverAnswer(command->device, accept, options.tag ? tag : NULL, command->output, error);
}

/**
 * commandAccept:
 * @command: run for one device
 * @error: set on failure
 *
 * Returns 0, or -1 with @error set.
 */
static int
commandAccept(Command *command, GError **error)
{
    return commandAnswer(command, TRUE, error);
}

/**
 * commandRefuse:
 * @command: run for one device
 * @error: set on failure
 *
 * Returns 0, or -1 with @error set.
 */
static int
commandRefuse(Command *command, GError **error)
{
    return commandAnswer(command, FALSE, error);
}

/**
 * commandRelease:
 * @command: run for one device
 * @error: set on failure
 *
 * Returns 0, or -1 with @error set.
 */
static int
commandRelease(Command *command, GError **error)
{
    g_auto(CommandOptions) options = {.tag = NULL};
    const GOptionEntry entries[] =
        {{.long_name = "tag", .arg = G_OPTION_ARG_STRING, .arg_data = &options.tag},
         {.long_name = "offset", .arg = G_OPTION_ARG_STRING, .arg_data = &options.offset},
         {.long_name = "size", .arg = G_OPTION_ARG_STRING, .arg_data = &options.size},
         {.long_name = "region", .arg = G_OPTION_ARG_STRING, .arg_data = &options.region},
         {.long_name = NULL}};
    guint8 tag[DCD_TAG_SIZE];
    guint64 offset;
    guint64 size;
    guint64 region = 0;

    if (commandParseOptions(&command->arguments, entries, error) < 0)
        return -1;
    if (!options.offset != !options.size || (options.region && !options.offset) ||
        (options.tag && options.offset)) {
        g_set_error_literal(error,
                            G_OPTION_ERROR,
                            G_OPTION_ERROR_FAILED,
                            "release takes --tag, or --offset and --size "
                            "(and --region), or nothing");
        return -1;
    }
    if (options.tag) {
        if (dcdParseTag(options.tag, tag, error) < 0)
            return -1;
        return driverReleaseTag(command->device, tag, command->output, error);
    }
    if (!options.offset)
        return driverReleaseAsked(command->device, command->output, error);
    if (commandParseNumber(options.offset, "offset", G_MAXUINT64, &offset, error) < 0 ||
        commandParseNumber(options.size, "size", G_MAXUINT64, &size, error) < 0 ||
        (options.region &&
         commandParseNumber(options.region, "region", CXL_REGIONS - 1, &region, error) < 0))
        return -1;
    return driverReleaseRange(command->device, region, offset, size, command->output, error);
}

/**
 * commandMapDevice:
 * @device: a device
 * @output: what was done is appended
 * @error: set on failure
 *
 * Returns 0, or -1 with @error set.
 */
int
commandMapDevice(CxlDevice *device, GString *output, GError **error)
{
    if (cxlDeviceMap(device, error) < 0)
        return -1;
    g_string_append_printf(output,
                           "mapped device %u base 0x%" G_GINT64_MODIFIER
                           "x size 0x%" G_GINT64_MODIFIER "x\n",
                           device->index,
                           device->base,
                           cxlDeviceSpan(device));
    return 0;
}

/**
 * commandMap:
 * @command: run for all devices chosen
 * @error: set on failure
 *
 * Returns 0, or -1 with @error set.
 */
static int
commandMap(Command *command, GError **error)
{
    guint i;

    for (i = 0; i < command->devices->len; i++) {
        if (commandMapDevice(g_ptr_array_index(command->devices, i), command->output, error) < 0)
            return -1;
    }
    return 0;
}

/**
 * commandUnmap:
 * @command: run for all devices chosen
 * @error: set on failure
 *
 * Returns 0, or -1 with @error set.
 */
static int
commandUnmap(Command *command, GError **error)
{
    guint i;

    for (i = 0; i < command->devices->len; i++) {
        CxlDevice *device = g_ptr_array_index(command->devices, i);

        if (cxlDeviceUnmap(device, error) < 0)
            return -1;
        g_string_append_printf(command->output, "unmapped device %u\n", device->index);
    }
    return 0;
}

/* Most bytes that one read or write command moves. */
#define COMMAND_LARGEST (64 * 1024 * 1024)

/**
 * commandPlace:
 * @command: its first two arguments are a region and an offset
 * @size: bytes from there
 * @address: set to the host physical address
 * @error: set on failure
 *
 * Returns 0, or -1 with @error set.
 */
static int
commandPlace(Command *command, guint64 size, guint64 *address, GError **error)
{
    guint64 region;
    guint64 offset;

    if (commandParseNumber(command->arguments[1], "region", CXL_REGIONS - 1, &region, error) < 0 ||
        commandParseNumber(command->arguments[2], "offset", G_MAXUINT64, &offset, error) < 0)
        return -1;
    return cxlDeviceAddress(command->device, region, offset, size, address, error);
}

/**
 * commandRead:
 * @command: run for one device
 * @error: set on failure
 *
 * Returns 0, or -1 with @error set.
 */
static int
commandRead(Command *command, GError **error)
{
    g_autofree guint8 *bytes = NULL;
    guint64 address;
    guint64 size;

    if (commandParseNumber(command->arguments[3], "size", COMMAND_LARGEST, &size, error) < 0 ||
        commandPlace(command, size, &address, error) < 0)
        return -1;

    bytes = g_malloc(size);
    qtestRead(command->device->qtest, address, bytes, size);
    if (qtestCheck(command->device->qtest, error) < 0)
        return -1;
    qtestAppendHex(command->output, bytes, size);
    g_string_append_c(command->output, '\n');
    return 0;
}

/**
 * commandParseData:
 * @text: bytes in hexadecimal, or "@" and bytes in hexadecimal, ":" and the
 *   number of bytes to fill by repeating them
 * @error: set on failure
 *
 * Returns the bytes, or NULL with @error set.
 */
static GByteArray *
commandParseData(const char *text, GError **error)
{
    g_auto(GStrv) parts = NULL;
    g_autoptr(GByteArray) pattern = NULL;
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    guint64 size;

    if (*text != '@') {
        g_autoptr(GByteArray) plain = qtestFromHex(text);

        if (!plain || plain->len == 0) {
            g_set_error(error,
                        G_OPTION_ERROR,
                        G_OPTION_ERROR_BAD_VALUE,
                        "'%.40s' is not bytes in hexadecimal",
                        text);
            return NULL;
        }
        return g_steal_pointer(&plain);
    }

    parts = g_strsplit(text + 1, ":", 2);
    pattern = parts[0] ? qtestFromHex(parts[0]) : NULL;
    if (!pattern || pattern->len == 0 || !parts[1]) {
        g_set_error(error,
                    G_OPTION_ERROR,
                    G_OPTION_ERROR_BAD_VALUE,
                    "'%.40s' is not a pattern, such as @a55a:4096",
                    text);
        return NULL;
    }
    if (commandParseNumber(parts[1], "size", COMMAND_LARGEST, &size, error) < 0)
        return NULL;
    while (bytes->len < size)
        g_byte_array_append(bytes, pattern->data, MIN(pattern->len, size - bytes->len));
    return g_steal_pointer(&bytes);
}

/**
 * commandWrite:
 * @command: run for one device
 * @error: set on failure
 *
 * Returns 0, or -1 with @error set.
 */
static int
commandWrite(Command *command, GError **error)
{
    g_autoptr(GByteArray) bytes = commandParseData(command->arguments[3], error);
    guint64 address;

    if (!bytes || commandPlace(command, bytes->len, &address, error) < 0)
        return -1;

    qtestWrite(command->device->qtest, address, bytes->data, bytes->len);
    return qtestCheck(command->device->qtest, error);
}

/**
 * commandRaw:
 * @command: run for one device
 * @error: set on failure; a return code is not a failure
 *
 * Returns 0, or -1 with @error set.
 */
static int
commandRaw(Command *command, GError **error)
{
    g_autoptr(GByteArray) input = NULL;
    g_autoptr(GByteArray) output = NULL;
    const char *text = command->arguments[1];
    guint64 opcode;
    guint16 code;

    /* Opcodes are hexadecimal, also in the specification's spelling. */
    if (g_str_has_prefix(text, "0x"))
        text += 2;
    if (!g_ascii_string_to_unsigned(text, 16, 0, G_MAXUINT16, &opcode, NULL)) {
        g_set_error(error,
                    G_OPTION_ERROR,
                    G_OPTION_ERROR_BAD_VALUE,
                    "'%s' is not an opcode, such as 4801",
                    command->arguments[1]);
        return -1;
    }
    input = qtestFromHex(command->arguments[2] ? command->arguments[2] : "");
    if (!input) {
        g_set_error(error,
                    G_OPTION_ERROR,
                    G_OPTION_ERROR_BAD_VALUE,
                    "'%.40s' is not bytes in hexadecimal",
                    command->arguments[2]);
        return -1;
    }
    output = mailboxSend(&command->device->mailbox, opcode, input, &code, error);
    if (!output)
        return -1;
    g_string_append_printf(command->output, "code %u %s\npayload ", code, mailboxCodeName(code));
    qtestAppendHex(command->output, output->data, output->len);
    g_string_append_c(command->output, '\n');
    return 0;
}

/* All commands. Those with options check their arguments themselves. */
static const struct {
    const char *name;
    const char *usage;
    int (*run)(Command *command, GError **error);
    gboolean single; /* for one device only */
    gboolean options;
    guint least; /* arguments */
    guint most;
} commandTable[] = {
    {"list", "", commandList, FALSE, FALSE, 0, 0},
    {"config", "", commandConfig, TRUE, FALSE, 0, 0},
    {"extents", "", commandExtents, TRUE, FALSE, 0, 0},
    {"events", "", commandEvents, TRUE, FALSE, 0, 0},
    {"accept", "[--tag UUID]", commandAccept, TRUE, TRUE, 0, 0},
    {"refuse", "[--tag UUID]", commandRefuse, TRUE, TRUE, 0, 0},
    {"release",
     "[--tag UUID | --offset BYTES --size BYTES [--region N]]",
     commandRelease,
     TRUE,
     TRUE,
     0,
     0},
    {"map", "", commandMap, FALSE, FALSE, 0, 0},
    {"unmap", "", commandUnmap, FALSE, FALSE, 0, 0},
    {"read", "REGION OFFSET SIZE", commandRead, TRUE, FALSE, 3, 3},
    {"write", "REGION OFFSET HEX|@HEX:SIZE", commandWrite, TRUE, FALSE, 3, 3},
    {"raw", "OPCODE [HEX]", commandRaw, TRUE, FALSE, 1, 2},
};

/**
 * commandFind:
 * @name: of a command
 *
 * Returns its place in the table, or -1.
 */
static int
commandFind(const char *name)
{
    gsize i;

    for (i = 0; i < G_N_ELEMENTS(commandTable); i++) {
        if (g_str_equal(name, commandTable[i].name))
            return i;
    }
    return -1;
}

/**
 * commandExists:
 * @name: a possible command name
 *
 * Returns whether there is such a command.
 */
gboolean
commandExists(const char *name)
{
    return commandFind(name) >= 0;
}

/**
 * commandSummary:
 *
 * Returns all commands with their arguments, one per line.
 */
char *
commandSummary(void)
{
    g_autoptr(GString) text = g_string_new("Commands:");
    gsize i;

    for (i = 0; i < G_N_ELEMENTS(commandTable); i++)
        g_string_append_printf(text, "\n  %s %s", commandTable[i].name, commandTable[i].usage);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

/**
 * commandCheckArguments:
 * @index: of the command in the table
 * @arguments: the command's name and its arguments
 * @error: set on failure
 *
 * Returns 0 if the command takes that many, or -1 with @error set.
 */
static int
commandCheckArguments(int index, char **arguments, GError **error)
{
    guint count = g_strv_length(arguments) - 1;

    if (commandTable[index].options ||
        (count >= commandTable[index].least && count <= commandTable[index].most))
        return 0;
    g_set_error(error,
                G_OPTION_ERROR,
                G_OPTION_ERROR_FAILED,
                "usage: %s %s",
                commandTable[index].name,
                commandTable[index].usage);
    return -1;
}

/**
 * commandRun:
 * @guest: the machine, set up
 * @device: which device, as guestSelect() takes it; NULL for all devices, or
 *   for the only one
 * @arguments: the command's name and its arguments
 * @output: the command's output is appended
 * @error: set on failure
 *
 * Returns 0, or -1 with @error set.
 */
int
commandRun(Guest *guest, const char *device, char **arguments, GString *output, GError **error)
{
    g_autoptr(GPtrArray) devices = NULL;
    g_auto(GStrv) copy = g_strdupv(arguments);
    Command command = {.output = output};
    int index = arguments[0] ? commandFind(arguments[0]) : -1;
    int result;

    if (index < 0) {
        g_set_error(error,
                    G_OPTION_ERROR,
                    G_OPTION_ERROR_FAILED,
                    "unknown command '%s'",
                    arguments[0] ? arguments[0] : "");
        return -1;
    }
    if (commandCheckArguments(index, arguments, error) < 0)
        return -1;
    devices = guestSelect(guest, device, error);
    if (!devices)
        return -1;
    if (commandTable[index].single && devices->len > 1) {
        g_set_error(error,
                    G_OPTION_ERROR,
                    G_OPTION_ERROR_FAILED,
                    "%s is for one device, and there are %u: choose one with "
                    "--device",
                    commandTable[index].name,
                    devices->len);
        return -1;
    }

    command.devices = devices;
    command.device = g_ptr_array_index(devices, 0);
    command.arguments = g_steal_pointer(&copy);
    result = commandTable[index].run(&command, error);
    copy = command.arguments;
    return result;
}
