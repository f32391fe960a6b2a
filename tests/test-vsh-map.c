/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-vsh-map.c: the picture that cxl-dcd-map draws
 *
 * Each scene is a set of devices. Its drawings are in tests/vshmapdata, as a person sees
 * them, in three widths and as SVG; every drawing is also checked to lose no capacity, to
 * have no line that is too long, and to have no overlapping texts.
 */

#include <config.h>

#include <libxml/xpath.h>
#include <locale.h>
#include <string.h>

#include "testutils.h"
#include "vsh-cxl-map.h"

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

enum {
    ADDING = VIR_DOMAIN_CXL_DCD_STATE_ADDING,
    PENDING = VIR_DOMAIN_CXL_DCD_STATE_PENDING,
    ACCEPTED = VIR_DOMAIN_CXL_DCD_STATE_ACCEPTED,
    REJECTED = VIR_DOMAIN_CXL_DCD_STATE_REJECTED,
    RELEASING = VIR_DOMAIN_CXL_DCD_STATE_RELEASING,
    LATER = 99, /* a state of a later version of the library */
};

/* A capacity; the UUID of its tag begins and ends with this number, see tags_alike. */
typedef struct {
    unsigned int tag;
    int state;
    unsigned int region;
    unsigned long long offset;
    unsigned long long size;
} testCapacity;

typedef struct {
    const char *name;
    const char *domain;
    const char *alias; /* the device to draw; NULL: all */
    unsigned int devices;
    unsigned int regions;
    unsigned long long size;
    unsigned int tags_alike;          /* how many leading characters all tags share; 0: none */
    unsigned int many;                /* this many capacities, instead of those below */
    const testCapacity capacities[8]; /* of the last device; size 0 ends them */
} testScene;

static const testScene testScenes[] = {
    {.name = "nothing", .domain = "vm", .regions = 1, .size = GIB},
    {.name = "states",
     .domain = "vm",
     .regions = 1,
     .size = 4 * GIB,
     .capacities = {{1, ACCEPTED, 0, 0, GIB},
                    {2, ACCEPTED, 0, GIB, 256 * MIB},
                    {3, PENDING, 0, 1536 * MIB, 512 * MIB},
                    {4, ADDING, 0, 2048 * MIB, 256 * MIB},
                    {5, REJECTED, 0, 0, GIB},
                    {6, RELEASING, 0, 2560 * MIB, 512 * MIB},
                    {7, LATER, 0, 3584 * MIB, 256 * MIB}}},
    {.name = "full",
     .domain = "vm",
     .regions = 1,
     .size = GIB,
     .capacities = {{1, ACCEPTED, 0, 0, GIB}}},
    {.name = "eight-regions",
     .domain = "vm",
     .regions = 8,
     .size = 2 * GIB,
     .capacities = {{1, ACCEPTED, 0, 0, 256 * MIB},
                    {2, PENDING, 3, 128 * MIB, 64 * MIB},
                    {3, RELEASING, 7, 254 * MIB, 2 * MIB}}},
    {.name = "small",
     .domain = "vm",
     .regions = 1,
     .size = 1024 * GIB,
     .capacities = {{1, ACCEPTED, 0, 0, 2 * MIB},
                    {2, ACCEPTED, 0, 2 * MIB, 2 * MIB},
                    {3, PENDING, 0, 6 * MIB, 2 * MIB},
                    {4, ACCEPTED, 0, 512 * GIB + 2 * MIB, 2 * MIB},
                    {5, ACCEPTED, 0, 1024 * GIB - 2 * MIB, 2 * MIB}}},
    {.name = "sixty-four", .domain = "vm", .regions = 1, .size = 4 * GIB, .many = 64},
    {.name = "two-devices",
     .domain = "vm",
     .devices = 2,
     .regions = 2,
     .size = 2 * GIB,
     .tags_alike = 14,
     .capacities = {{1, ACCEPTED, 0, 0, 512 * MIB}, {2, ACCEPTED, 1, 512 * MIB, 512 * MIB}}},
    {.name = "one-of-two",
     .domain = "vm",
     .alias = "cxl-dcd1",
     .devices = 2,
     .regions = 1,
     .size = GIB,
     .capacities = {{1, ACCEPTED, 0, 0, 512 * MIB}}},
    {.name = "overlap",
     .domain = "vm",
     .regions = 1,
     .size = GIB,
     .capacities = {{1, ACCEPTED, 0, 0, 512 * MIB},
                    {2, ADDING, 0, 256 * MIB, 128 * MIB},
                    {3, ADDING, 0, 2 * GIB, GIB}}},
    {.name = "name",
     .domain = "a \"b\" 'c' [d]\n<e>&amp;]]> \xff\x01 \xe4\xba\x91\xe4\xba\x91 -->",
     .regions = 1,
     .size = GIB,
     .capacities = {{1, ACCEPTED, 0, 0, 512 * MIB}}},
};

static void
testAddCapacity(virDomainCxlDcdDevicePtr device, const testScene *scene, const testCapacity *from)
{
    virDomainCxlDcdCapacityPtr to = g_new0(virDomainCxlDcdCapacity, 1);

    *to = (virDomainCxlDcdCapacity){
        .state = from->state,
        .region = from->region,
        .offset = from->offset,
        .size = from->size,
        .since = -1,
    };
    g_snprintf(to->tag,
               sizeof(to->tag),
               "%08x-aaaa-4aaa-8aaa-%012x",
               scene->tags_alike ? 0xcafecafe : from->tag,
               from->tag);
    if (scene->tags_alike)
        to->tag[scene->tags_alike] = (char)('0' + from->tag);
    device->capacities[device->ncapacities++] = to;
}

static void
testDeviceFree(void *data)
{
    virDomainCxlDcdDevicePtr device = data;
    size_t i;

    for (i = 0; i < device->ncapacities; i++)
        g_free(device->capacities[i]);
    g_free(device->capacities);
    g_free(device->alias);
    g_free(device);
}

static GPtrArray *
testDevices(const testScene *scene)
{
    GPtrArray *devices = g_ptr_array_new_with_free_func(testDeviceFree);
    virDomainCxlDcdDevicePtr device = NULL;
    unsigned int i;

    for (i = 0; i < MAX(scene->devices, 1); i++) {
        device = g_new0(virDomainCxlDcdDevice, 1);
        device->alias = g_strdup_printf("cxl-dcd%u", i);
        device->model = i % 2 ? VIR_DOMAIN_CXL_DCD_MODEL_STATIC : VIR_DOMAIN_CXL_DCD_MODEL_TAGGED;
        device->regions = scene->regions;
        device->size = scene->size;
        device->capacities = g_new0(virDomainCxlDcdCapacityPtr, MAX(scene->many, 8));
        g_ptr_array_add(devices, device);
    }
    for (i = 0; i < G_N_ELEMENTS(scene->capacities) && scene->capacities[i].size; i++)
        testAddCapacity(device, scene, &scene->capacities[i]);
    for (i = 0; i < scene->many; i++) {
        testCapacity capacity = {
            .tag = i + 1,
            .state = i % 3 ? ACCEPTED : PENDING,
            .offset = i * 64 * MIB,
            .size = i % 2 ? 64 * MIB : 62 * MIB,
        };

        testAddCapacity(device, scene, &capacity);
    }
    return devices;
}

/* ---------------------------------------------------------------- the layout */

/* The pieces of a region are contiguous, fill it, and are drawn to scale except where other
 * pieces need room. */
static void
testLayoutRegion(const virDomainCxlDcdDevice *device, unsigned int number, size_t width)
{
    g_autoptr(vshCxlMapRegion) region = vshCxlMapRegionNew(device, number, width);
    size_t npieces = region->pieces->len;
    size_t cells = region->rows * width;
    size_t end = 0;
    size_t i;
    size_t j;

    g_assert_cmpuint(npieces, >, 0);
    for (i = 0; i < npieces; i++) {
        const vshCxlMapPiece *piece = vshCxlMapGetPiece(region, i);
        double belongs = (double)piece->offset / (double)region->size * (double)cells;

        g_assert_cmpuint(piece->start, ==, end);
        g_assert_cmpuint(piece->cells, >, 0);
        end += piece->cells;
        g_assert_cmpfloat(ABS(belongs - (double)piece->start), <=, (double)npieces + 1);
    }
    g_assert_cmpuint(end, ==, cells);

    for (i = 0; i < device->ncapacities; i++) {
        const virDomainCxlDcdCapacity *capacity = device->capacities[i];
        size_t found = 0;

        for (j = 0; j < npieces; j++)
            found += vshCxlMapGetPiece(region, j)->capacity == capacity;
        for (j = 0; j < region->rejected->len; j++)
            found += g_ptr_array_index(region->rejected, j) == capacity;
        g_assert_cmpuint(found, ==, capacity->region == number);
    }
}

static void
testLayout(void)
{
    static const size_t widths[] = {1, 2, 7, 36, 76, 240, 1000};
    size_t i;
    size_t j;
    unsigned int k;

    for (i = 0; i < G_N_ELEMENTS(testScenes); i++) {
        g_autoptr(GPtrArray) devices = testDevices(&testScenes[i]);

        testCase(testScenes[i].name);
        for (j = 0; j < G_N_ELEMENTS(widths); j++) {
            for (k = 0; k < testScenes[i].regions; k++)
                testLayoutRegion(g_ptr_array_index(devices, devices->len - 1), k, widths[j]);
        }
    }
}

/* In plain numbers: a capacity that fills half a row gets half its cells. */
static void
testScale(void)
{
    static const testScene scene = {
        .regions = 1,
        .size = GIB,
        .capacities = {{1, ACCEPTED, 0, 0, 256 * MIB}, {2, PENDING, 0, 512 * MIB, 512 * MIB}},
    };
    static const size_t starts[] = {0, 20, 40};
    g_autoptr(GPtrArray) devices = testDevices(&scene);
    g_autoptr(vshCxlMapRegion) region = vshCxlMapRegionNew(g_ptr_array_index(devices, 0), 0, 80);
    size_t i;

    g_assert_cmpuint(region->rows, ==, 1);
    g_assert_cmpuint(region->unoccupied, ==, 256 * MIB);
    g_assert_cmpuint(region->pieces->len, ==, G_N_ELEMENTS(starts));
    for (i = 0; i < G_N_ELEMENTS(starts); i++)
        g_assert_cmpuint(vshCxlMapGetPiece(region, i)->start, ==, starts[i]);
}

static void
testTagLength(void)
{
    static const struct {
        unsigned int alike;
        size_t length;
    } cases[] = {{0, 8}, {7, 8}, {9, 10}, {12, 13}, {14, 15}, {34, 35}, {35, 36}};
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        testScene scene = {
            .regions = 1,
            .size = GIB,
            .tags_alike = cases[i].alike,
            .capacities = {{1, ACCEPTED, 0, 0, 2 * MIB}, {2, ACCEPTED, 0, 2 * MIB, 2 * MIB}},
        };
        g_autoptr(GPtrArray) devices = testDevices(&scene);
        virDomainCxlDcdDevicePtr device = g_ptr_array_index(devices, 0);

        if (cases[i].alike) {
            memset(device->capacities[0]->tag + cases[i].alike + 1, '0', 35 - cases[i].alike);
            memset(device->capacities[1]->tag + cases[i].alike + 1, '0', 35 - cases[i].alike);
        }
        g_assert_cmpuint(vshCxlMapTagLength(devices), ==, cases[i].length);
    }
}

/* ------------------------------------------------------------------ the text */

/* Every line except those of the list, which contain " at ", fits the width. */
static void
testLines(const char *text, size_t width)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    size_t i;

    for (i = 0; lines[i]; i++) {
        if (!strstr(lines[i], " at "))
            g_assert_cmpuint(g_utf8_strlen(lines[i], -1), <=, width);
    }
}

static void
testText(const void *data)
{
    static const size_t widths[] = {40, 80, 200};
    const testScene *scene = data;
    g_autoptr(GPtrArray) devices = testDevices(scene);
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(widths); i++) {
        g_autofree char *text = vshCxlMapFormatText(devices, scene->alias, widths[i], false);
        g_autofree char *name = g_strdup_printf("%s.%zu.txt", scene->name, widths[i]);
        g_autofree char *path = testPath("vshmapdata", name);

        g_assert_true(g_str_is_ascii(text));
        testLines(text, widths[i]);
        testCompareToFile(text, path);
    }
}

/* With its colours removed, a coloured map says the same, sign for sign. */
static void
testColour(const void *data)
{
    static const struct {
        const char *block;
        const char *sign;
    } signs[] = {{"█", "#"}, {"▒", "?"}, {"░", "+"}, {"▓", "-"}, {"·", "."}, {"u", "+"}};
    const testScene *scene = data;
    g_autoptr(GPtrArray) devices = testDevices(scene);
    g_autofree char *plain = vshCxlMapFormatText(devices, scene->alias, 80, false);
    g_autofree char *colour = vshCxlMapFormatText(devices, scene->alias, 80, true);
    g_autoptr(GRegex) escapes = g_regex_new("\033\\[[0-9;]*m", 0, 0, NULL);
    g_autofree char *bare = g_regex_replace_literal(escapes, colour, -1, 0, "", 0, NULL);
    g_autoptr(GString) got = g_string_new(bare);
    g_autoptr(GString) expected = g_string_new(plain);
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(signs); i++) {
        g_string_replace(got, signs[i].block, signs[i].sign, 0);
        /* both signs of an unknown state */
        if (i + 1 == G_N_ELEMENTS(signs)) {
            g_string_replace(got, "unknown", "+nknown", 0);
            g_string_replace(expected, "u", "+", 0);
            g_string_replace(got, "u", "+", 0);
        }
    }
    g_assert_cmpstr(got->str, ==, expected->str);
    g_assert_true(g_str_has_suffix(plain, "free\n"));
}

/* ------------------------------------------------------------------- the SVG */

static double
testNumber(xmlNodePtr node, const char *name)
{
    xmlChar *text = xmlGetProp(node, BAD_CAST name);
    double value = g_ascii_strtod((const char *)text, NULL);

    xmlFree(text);
    return value;
}

typedef struct {
    double left;
    double right;
    double baseline;
} testBox;

/* No overlapping texts, and none outside the drawing. 7.23 pixels is the width of a character of
 * DejaVu Sans Mono at this size. */
static void
testBoxes(xmlXPathObjectPtr texts, double width, double height)
{
    g_autoptr(GArray) boxes = g_array_new(FALSE, FALSE, sizeof(testBox));
    int i;
    guint j;

    for (i = 0; i < texts->nodesetval->nodeNr; i++) {
        xmlNodePtr node = texts->nodesetval->nodeTab[i];
        xmlChar *text = xmlNodeGetContent(node);
        testBox box = {.left = testNumber(node, "x"), .baseline = testNumber(node, "y")};

        box.right = box.left + 7.23 * (double)g_utf8_strlen((const char *)text, -1);
        xmlFree(text);
        g_assert_cmpfloat(box.right, <=, width);
        g_assert_cmpfloat(box.baseline, <=, height);
        for (j = 0; j < boxes->len; j++) {
            const testBox *other = &g_array_index(boxes, testBox, j);

            g_assert_true(ABS(other->baseline - box.baseline) >= 12 || other->right <= box.left ||
                          box.right <= other->left);
        }
        g_array_append_val(boxes, box);
    }
}

static void
testSvg(const void *data)
{
    const testScene *scene = data;
    g_autoptr(GPtrArray) devices = testDevices(scene);
    g_autofree char *text = vshCxlMapFormatSvg(devices, scene->alias, scene->domain);
    g_autofree char *name = g_strdup_printf("%s.svg", scene->name);
    g_autofree char *path = testPath("vshmapdata", name);
    xmlDocPtr doc = xmlReadMemory(text, (int)strlen(text), NULL, NULL, XML_PARSE_NONET);
    xmlXPathContextPtr context = xmlXPathNewContext(doc);
    xmlXPathObjectPtr found;

    testCompareToFile(text, path);
    g_assert_nonnull(doc);
    found = xmlXPathEvalExpression(BAD_CAST "//*[local-name()='text']", context);
    testBoxes(found,
              testNumber(xmlDocGetRootElement(doc), "width"),
              testNumber(xmlDocGetRootElement(doc), "height"));
    xmlXPathFreeObject(found);
    xmlXPathFreeContext(context);
    xmlFreeDoc(doc);
}

int
main(int argc, char **argv)
{
    size_t i;

    testInit(&argc, &argv);
    setlocale(LC_ALL, "C");
    g_test_add_func("/map/layout", testLayout);
    g_test_add_func("/map/scale", testScale);
    g_test_add_func("/map/tag-length", testTagLength);
    for (i = 0; i < G_N_ELEMENTS(testScenes); i++) {
        g_autofree char *text = g_strdup_printf("/map/text/%s", testScenes[i].name);
        g_autofree char *colour = g_strdup_printf("/map/colour/%s", testScenes[i].name);
        g_autofree char *svg = g_strdup_printf("/map/svg/%s", testScenes[i].name);

        g_test_add_data_func(text, &testScenes[i], testText);
        g_test_add_data_func(colour, &testScenes[i], testColour);
        g_test_add_data_func(svg, &testScenes[i], testSvg);
    }
    return g_test_run();
}
