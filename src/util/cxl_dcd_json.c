/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_json.c: JSON, read and written with yajl
 *
 * The only file that knows which JSON library is used. Names and values that
 * are written must be UTF-8.
 */

#include <config.h>

#include <string.h>
#include <yajl/yajl_gen.h>
#include <yajl/yajl_parse.h>
#include <yajl/yajl_tree.h>

#include "cxl_dcd_json.h"

/* How deeply arrays and objects may be nested; QEMU's replies have less than ten levels. */
#define VIR_CXL_DCD_JSON_DEPTH 100

struct _virCxlDcdJSONWriter {
    yajl_gen gen;
};

/**
 * virCxlDcdJSONWriterNew:
 *
 * Returns a writer for one compact JSON value.
 */
virCxlDcdJSONWriter *
virCxlDcdJSONWriterNew(void)
{
    virCxlDcdJSONWriter *writer = g_new0(virCxlDcdJSONWriter, 1);

    writer->gen = yajl_gen_alloc(NULL);
    return writer;
}

/**
 * virCxlDcdJSONWriterFree:
 * @writer: the writer, or NULL
 */
void
virCxlDcdJSONWriterFree(virCxlDcdJSONWriter *writer)
{
    if (!writer)
        return;
    yajl_gen_free(writer->gen);
    g_free(writer);
}

static void
virCxlDcdJSONAddText(virCxlDcdJSONWriter *writer, const char *text)
{
    yajl_gen_string(writer->gen, (const unsigned char *)text, strlen(text));
}

/* The name of a member; NULL for the outermost value and for array elements. */
static void
virCxlDcdJSONAddName(virCxlDcdJSONWriter *writer, const char *name)
{
    if (name)
        virCxlDcdJSONAddText(writer, name);
}

/**
 * virCxlDcdJSONBeginObject:
 * @writer: the writer
 * @name: the member's name, or NULL if it has none
 */
void
virCxlDcdJSONBeginObject(virCxlDcdJSONWriter *writer, const char *name)
{
    virCxlDcdJSONAddName(writer, name);
    yajl_gen_map_open(writer->gen);
}

/**
 * virCxlDcdJSONEndObject:
 * @writer: the writer
 */
void
virCxlDcdJSONEndObject(virCxlDcdJSONWriter *writer)
{
    yajl_gen_map_close(writer->gen);
}

/**
 * virCxlDcdJSONBeginArray:
 * @writer: the writer
 * @name: the member's name, or NULL if it has none
 */
void
virCxlDcdJSONBeginArray(virCxlDcdJSONWriter *writer, const char *name)
{
    virCxlDcdJSONAddName(writer, name);
    yajl_gen_array_open(writer->gen);
}

/**
 * virCxlDcdJSONEndArray:
 * @writer: the writer
 */
void
virCxlDcdJSONEndArray(virCxlDcdJSONWriter *writer)
{
    yajl_gen_array_close(writer->gen);
}

/**
 * virCxlDcdJSONAddString:
 * @writer: the writer
 * @name: the member's name, or NULL if it has none
 * @value: the value
 */
void
virCxlDcdJSONAddString(virCxlDcdJSONWriter *writer, const char *name, const char *value)
{
    virCxlDcdJSONAddName(writer, name);
    virCxlDcdJSONAddText(writer, value);
}

/**
 * virCxlDcdJSONAddUnsigned:
 * @writer: the writer
 * @name: the member's name, or NULL if it has none
 * @value: the value; all 64 bits are kept
 */
void
virCxlDcdJSONAddUnsigned(virCxlDcdJSONWriter *writer, const char *name, unsigned long long value)
{
    g_autofree char *digits = g_strdup_printf("%llu", value);

    virCxlDcdJSONAddName(writer, name);
    yajl_gen_number(writer->gen, digits, strlen(digits));
}

/**
 * virCxlDcdJSONAddBoolean:
 * @writer: the writer
 * @name: the member's name, or NULL if it has none
 * @value: the value
 */
void
virCxlDcdJSONAddBoolean(virCxlDcdJSONWriter *writer, const char *name, bool value)
{
    virCxlDcdJSONAddName(writer, name);
    yajl_gen_bool(writer->gen, value);
}

/**
 * virCxlDcdJSONFinish:
 * @writer: the writer, all of whose objects and arrays have ended
 *
 * Returns the text, to be freed with g_free().
 */
char *
virCxlDcdJSONFinish(virCxlDcdJSONWriter *writer)
{
    const unsigned char *text = NULL;
    size_t length = 0;

    yajl_gen_get_buf(writer->gen, &text, &length);
    return g_strndup((const char *)text, length);
}

static int
virCxlDcdJSONDeeper(void *opaque)
{
    unsigned int *depth = opaque;

    return ++*depth <= VIR_CXL_DCD_JSON_DEPTH;
}

static int
virCxlDcdJSONHigher(void *opaque)
{
    unsigned int *depth = opaque;

    --*depth;
    return true;
}

/* yajl frees its trees by recursion, without a limit: deeply nested text overflows the stack. Its
 * parser does not recurse, so the text is first parsed without building a tree. Returns what is
 * wrong with the text, or NULL. */
static char *
virCxlDcdJSONCheck(const char *text)
{
    static const yajl_callbacks callbacks = {
        .yajl_start_map = virCxlDcdJSONDeeper,
        .yajl_end_map = virCxlDcdJSONHigher,
        .yajl_start_array = virCxlDcdJSONDeeper,
        .yajl_end_array = virCxlDcdJSONHigher,
    };
    const unsigned char *bytes = (const unsigned char *)text;
    size_t length = strlen(text);
    unsigned int depth = 0;
    yajl_handle handle = yajl_alloc(&callbacks, NULL, &depth);
    yajl_status status = yajl_parse(handle, bytes, length);
    char *message = NULL;

    if (status == yajl_status_ok)
        status = yajl_complete_parse(handle);
    if (status == yajl_status_client_canceled) {
        message = g_strdup_printf("arrays and objects are nested more than %d deep",
                                  VIR_CXL_DCD_JSON_DEPTH);
    } else if (status != yajl_status_ok) {
        unsigned char *complaint = yajl_get_error(handle, false, bytes, length);

        message = g_strndup((const char *)complaint, strcspn((const char *)complaint, "\n"));
        yajl_free_error(handle, complaint);
    }
    yajl_free(handle);
    return message;
}

/**
 * virCxlDcdJSONParse:
 * @text: a JSON value
 * @message: where to store what is wrong with @text, to be freed with g_free()
 *
 * Returns the value, or NULL with *@message set.
 */
virCxlDcdJSON *
virCxlDcdJSONParse(const char *text, char **message)
{
    virCxlDcdJSON *value;

    if ((*message = virCxlDcdJSONCheck(text)))
        return NULL;
    if (!(value = yajl_tree_parse(text, NULL, 0)))
        *message = g_strdup("the text is not JSON");
    return value;
}

/**
 * virCxlDcdJSONFree:
 * @value: a whole value of virCxlDcdJSONParse(), or NULL
 */
void
virCxlDcdJSONFree(virCxlDcdJSON *value)
{
    yajl_tree_free(value);
}

/**
 * virCxlDcdJSONMember:
 * @object: any value, or NULL
 * @name: a member's name
 *
 * Returns the member, or NULL if @object is not an object or does not have it.
 */
virCxlDcdJSON *
virCxlDcdJSONMember(virCxlDcdJSON *object, const char *name)
{
    const char *path[] = {name, NULL};

    return object && YAJL_IS_OBJECT(object) ? yajl_tree_get(object, path, yajl_t_any) : NULL;
}

/**
 * virCxlDcdJSONMemberString:
 * @object: any value, or NULL
 * @name: a member's name
 *
 * Returns the member's text, or NULL if there is no such member or it is not a string.
 */
const char *
virCxlDcdJSONMemberString(virCxlDcdJSON *object, const char *name)
{
    virCxlDcdJSON *value = virCxlDcdJSONMember(object, name);

    return value ? YAJL_GET_STRING(value) : NULL;
}

/**
 * virCxlDcdJSONMemberUnsigned:
 * @object: any value, or NULL
 * @name: a member's name
 * @value: where to store the number
 *
 * Returns true if the member exists and is a number from 0 to 2^64-1.
 */
bool
virCxlDcdJSONMemberUnsigned(virCxlDcdJSON *object, const char *name, unsigned long long *value)
{
    virCxlDcdJSON *member = virCxlDcdJSONMember(object, name);
    const char *digits = member ? YAJL_GET_NUMBER(member) : NULL;
    guint64 number; /* not the type of @value */

    if (!digits || !g_ascii_string_to_unsigned(digits, 10, 0, G_MAXUINT64, &number, NULL))
        return false;
    *value = number;
    return true;
}

/**
 * virCxlDcdJSONLength:
 * @array: any value, or NULL
 *
 * Returns the number of its elements, or 0 if it is not an array.
 */
size_t
virCxlDcdJSONLength(virCxlDcdJSON *array)
{
    return array && YAJL_IS_ARRAY(array) ? YAJL_GET_ARRAY(array)->len : 0;
}

/**
 * virCxlDcdJSONElement:
 * @array: an array
 * @i: an index, less than its length
 *
 * Returns the element.
 */
virCxlDcdJSON *
virCxlDcdJSONElement(virCxlDcdJSON *array, size_t i)
{
    return YAJL_GET_ARRAY(array)->values[i];
}
