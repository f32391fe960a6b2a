/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-map-svg.c: the map of a domain as a drawing
 *
 * The same layout as on the terminal, except that a cell is a few pixels here. The SVG is
 * written by libxml2, which takes care of escaping. Everything is laid out from top to
 * bottom, so the size of the drawing is known only at the end. The font is monospace, so
 * that the width of a text is known without font metrics; a label that does not fit its
 * piece is left out.
 */

#include <libxml/xmlwriter.h>
#include <string.h>

#include "vsh-cxl-map.h"
#include "vsh-cxl-size.h"

/* Pixels. The widest of the common monospace fonts have an advance of 0.602 times their size. */
#define VSH_CXL_SVG_FONT 12
#define VSH_CXL_SVG_CHARACTER 7.3
#define VSH_CXL_SVG_LINE 18
#define VSH_CXL_SVG_MARGIN 20
#define VSH_CXL_SVG_BAR 34
#define VSH_CXL_SVG_CELL 4
#define VSH_CXL_SVG_CELLS 240 /* cells in a row */
#define VSH_CXL_SVG_SWATCH 12

typedef struct {
    int state; /* virDomainCxlDcdState; NONE: free space */
    const char *name;
    const char *fill;
} vshCxlSvgLook;

/* Light enough for dark text. The last entry is for states of later library versions. */
static const vshCxlSvgLook vshCxlSvgLooks[] = {
    {VIR_DOMAIN_CXL_DCD_STATE_ACCEPTED, "accepted", "#8fd3a0"},
    {VIR_DOMAIN_CXL_DCD_STATE_PENDING, "pending", "#ffe08a"},
    {VIR_DOMAIN_CXL_DCD_STATE_ADDING, "adding", "#a5cdfa"},
    {VIR_DOMAIN_CXL_DCD_STATE_RELEASING, "releasing", "#d9b8f5"},
    {VIR_DOMAIN_CXL_DCD_STATE_REJECTED, "rejected", "#f6a8a8"},
    {VIR_DOMAIN_CXL_DCD_STATE_NONE, "free", "#f2f2f2"},
    {-1, "unknown", "#ffffff"},
};

typedef struct {
    xmlTextWriterPtr writer;
    double width; /* width used so far, without the margin */
    double y;     /* top of the next item */
    size_t tag;   /* displayed length of a tag */
} vshCxlSvg;

static const vshCxlSvgLook *
vshCxlSvgGetLook(const virDomainCxlDcdCapacity *capacity)
{
    int state = capacity ? capacity->state : VIR_DOMAIN_CXL_DCD_STATE_NONE;
    size_t i;

    for (i = 0; i + 1 < G_N_ELEMENTS(vshCxlSvgLooks) && vshCxlSvgLooks[i].state != state; i++)
        ;
    return &vshCxlSvgLooks[i];
}

static void
vshCxlSvgAttribute(vshCxlSvg *svg, const char *name, double value)
{
    char buffer[G_ASCII_DTOSTR_BUF_SIZE];

    g_ascii_formatd(buffer, sizeof(buffer), "%.1f", value);
    xmlTextWriterWriteAttribute(svg->writer, BAD_CAST name, BAD_CAST buffer);
}

/* Characters that XML cannot represent, and invalid bytes, become U+FFFD. */
static char *
vshCxlSvgEscape(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *escaped = g_string_new(NULL);
    const char *c;

    for (c = valid; *c; c = g_utf8_next_char(c)) {
        gunichar character = g_utf8_get_char(c);
        bool shown = !g_unichar_iscntrl(character) && character != 0xfffe && character != 0xffff;

        g_string_append_unichar(escaped, shown ? character : 0xfffd);
    }
    return g_string_free(escaped, FALSE);
}

/* The width of a text, in pixels. */
static double
vshCxlSvgMeasure(const char *text)
{
    size_t columns = 0;
    const char *c;

    for (c = text; *c; c = g_utf8_next_char(c))
        columns += g_unichar_iswide(g_utf8_get_char(c)) ? 2 : 1;
    return (double)columns * VSH_CXL_SVG_CHARACTER;
}

/* Returns the right end of the text. */
static double
vshCxlSvgText(vshCxlSvg *svg, double x, double baseline, const char *class, const char *text)
{
    g_autofree char *escaped = vshCxlSvgEscape(text);
    double end = x + vshCxlSvgMeasure(escaped);

    xmlTextWriterStartElement(svg->writer, BAD_CAST "text");
    vshCxlSvgAttribute(svg, "x", x);
    vshCxlSvgAttribute(svg, "y", baseline);
    if (class)
        xmlTextWriterWriteAttribute(svg->writer, BAD_CAST "class", BAD_CAST class);
    xmlTextWriterWriteString(svg->writer, BAD_CAST escaped);
    xmlTextWriterEndElement(svg->writer);
    svg->width = MAX(svg->width, end);
    return end;
}

/* Append a left-aligned line of text. */
static void
vshCxlSvgLine(vshCxlSvg *svg, const char *class, const char *text)
{
    vshCxlSvgText(svg, VSH_CXL_SVG_MARGIN, svg->y + VSH_CXL_SVG_FONT, class, text);
    svg->y += VSH_CXL_SVG_LINE;
}

static void
vshCxlSvgRect(vshCxlSvg *svg,
              double x,
              double y,
              double width,
              double height,
              const char *fill,
              const char *title)
{
    xmlTextWriterStartElement(svg->writer, BAD_CAST "rect");
    vshCxlSvgAttribute(svg, "x", x);
    vshCxlSvgAttribute(svg, "y", y);
    vshCxlSvgAttribute(svg, "width", width);
    vshCxlSvgAttribute(svg, "height", height);
    xmlTextWriterWriteAttribute(svg->writer, BAD_CAST "fill", BAD_CAST fill);
    if (title)
        xmlTextWriterWriteElement(svg->writer, BAD_CAST "title", BAD_CAST title);
    xmlTextWriterEndElement(svg->writer);
}

/* Returns the tooltip of a piece. */
static char *
vshCxlSvgTitle(const vshCxlMapPiece *piece)
{
    const virDomainCxlDcdCapacity *capacity = piece->capacity;
    g_autofree char *size = vshCxlSizeFormat(capacity ? capacity->size : piece->size);
    g_autofree char *offset = vshCxlSizeFormat(capacity ? capacity->offset : piece->offset);

    return g_strdup_printf("%s%s%s, %s at %s",
                           capacity ? capacity->tag : "",
                           capacity ? ": " : "",
                           vshCxlSvgGetLook(capacity)->name,
                           size,
                           offset);
}

/* Label a piece with the capacity's tag and size, or the tag alone, if there is room. */
static void
vshCxlSvgLabel(vshCxlSvg *svg, const vshCxlMapPiece *piece, double x, double width)
{
    g_autofree char *size = vshCxlSizeFormat(piece->capacity ? piece->capacity->size : piece->size);
    g_autofree char *tag =
        g_strndup(piece->capacity ? piece->capacity->tag : "free", piece->capacity ? svg->tag : 4);
    g_autofree char *both = g_strdup_printf("%s %s", tag, size);
    const char *label = vshCxlSvgMeasure(both) + 8 <= width ? both : tag;

    if (vshCxlSvgMeasure(label) + 8 <= width)
        vshCxlSvgText(svg,
                      x + 4,
                      svg->y + (VSH_CXL_SVG_BAR + VSH_CXL_SVG_FONT) / 2.0 - 2,
                      NULL,
                      label);
}

/* Draw one row of a region, and below it the offsets of its two ends. */
static void
vshCxlSvgRow(vshCxlSvg *svg, const vshCxlMapRegion *region, size_t row)
{
    const size_t first = row * VSH_CXL_SVG_CELLS;
    const size_t last = first + VSH_CXL_SVG_CELLS;
    size_t i;

    for (i = 0; i < region->pieces->len; i++) {
        const vshCxlMapPiece *piece = vshCxlMapGetPiece(region, i);
        size_t start = MAX(piece->start, first);
        size_t end = MIN(piece->start + piece->cells, last);
        double x = VSH_CXL_SVG_MARGIN + (double)(start - first) * VSH_CXL_SVG_CELL;
        double width = start < end ? (double)(end - start) * VSH_CXL_SVG_CELL : 0;
        g_autofree char *title = vshCxlSvgTitle(piece);

        if (width == 0)
            continue;
        vshCxlSvgRect(svg,
                      x,
                      svg->y,
                      width,
                      VSH_CXL_SVG_BAR,
                      vshCxlSvgGetLook(piece->capacity)->fill,
                      title);
        vshCxlSvgLabel(svg, piece, x, width);
    }
    svg->width = MAX(svg->width, VSH_CXL_SVG_MARGIN + (double)VSH_CXL_SVG_CELLS * VSH_CXL_SVG_CELL);
    svg->y += VSH_CXL_SVG_BAR + 6;
}

/* Append one line of the list below a region. */
static void
vshCxlSvgItem(vshCxlSvg *svg, const vshCxlMapPiece *piece)
{
    const virDomainCxlDcdCapacity *capacity = piece->capacity;
    const vshCxlSvgLook *look = vshCxlSvgGetLook(capacity);
    g_autofree char *size = vshCxlSizeFormat(capacity ? capacity->size : piece->size);
    g_autofree char *offset = vshCxlSizeFormat(capacity ? capacity->offset : piece->offset);
    g_autofree char *line =
        g_strdup_printf("%-*.*s  %-9s  %8s at %s%s",
                        (int)svg->tag,
                        (int)svg->tag,
                        capacity ? capacity->tag : "-",
                        look->name,
                        size,
                        offset,
                        look->state == VIR_DOMAIN_CXL_DCD_STATE_REJECTED ? ", occupies nothing"
                                                                         : "");
    g_autofree char *title = vshCxlSvgTitle(piece);

    vshCxlSvgRect(svg,
                  VSH_CXL_SVG_MARGIN,
                  svg->y + 2,
                  VSH_CXL_SVG_SWATCH,
                  VSH_CXL_SVG_SWATCH,
                  look->fill,
                  title);
    vshCxlSvgText(svg,
                  VSH_CXL_SVG_MARGIN + VSH_CXL_SVG_SWATCH + 8,
                  svg->y + VSH_CXL_SVG_FONT,
                  NULL,
                  line);
    svg->y += VSH_CXL_SVG_LINE;
}

static void
vshCxlSvgRegion(vshCxlSvg *svg, const virDomainCxlDcdDevice *device, unsigned int number)
{
    g_autoptr(vshCxlMapRegion) region = vshCxlMapRegionNew(device, number, VSH_CXL_SVG_CELLS);
    g_autofree char *size = vshCxlSizeFormat(region->size);
    g_autofree char *unoccupied = vshCxlSizeFormat(region->unoccupied);
    g_autofree char *line = g_strdup_printf("Region %u: %s, %s free", number, size, unoccupied);
    size_t i;

    vshCxlSvgLine(svg, NULL, line);
    for (i = 0; i < region->rows; i++)
        vshCxlSvgRow(svg, region, i);
    for (i = 0; i < region->pieces->len; i++) {
        if (region->pieces->len > 1 || vshCxlMapGetPiece(region, i)->capacity)
            vshCxlSvgItem(svg, vshCxlMapGetPiece(region, i));
    }
    for (i = 0; i < region->rejected->len; i++) {
        vshCxlMapPiece rejected = {.capacity = g_ptr_array_index(region->rejected, i)};

        vshCxlSvgItem(svg, &rejected);
    }
    svg->y += VSH_CXL_SVG_LINE / 2.0;
}

static void
vshCxlSvgDevice(vshCxlSvg *svg, const virDomainCxlDcdDevice *device)
{
    g_auto(GStrv) fields = vshCxlMapDescribe(device);
    g_autofree char *line = g_strjoinv("   ", fields);
    unsigned int i;

    vshCxlSvgLine(svg, "head", line);
    svg->y += VSH_CXL_SVG_LINE / 3.0;
    for (i = 0; i < device->regions; i++)
        vshCxlSvgRegion(svg, device, i);
}

static void
vshCxlSvgLegend(vshCxlSvg *svg)
{
    double x = VSH_CXL_SVG_MARGIN;
    size_t i;

    for (i = 0; vshCxlSvgLooks[i].state >= 0; i++) {
        vshCxlSvgRect(svg,
                      x,
                      svg->y + 2,
                      VSH_CXL_SVG_SWATCH,
                      VSH_CXL_SVG_SWATCH,
                      vshCxlSvgLooks[i].fill,
                      NULL);
        x += VSH_CXL_SVG_SWATCH + 8;
        x = vshCxlSvgText(svg, x, svg->y + VSH_CXL_SVG_FONT, NULL, vshCxlSvgLooks[i].name) + 24;
    }
    svg->y += VSH_CXL_SVG_LINE;
}

static void
vshCxlSvgBegin(vshCxlSvg *svg, const char *title)
{
    g_autofree char *escaped = vshCxlSvgEscape(title);

    xmlTextWriterStartDocument(svg->writer, NULL, "UTF-8", NULL);
    xmlTextWriterStartElementNS(svg->writer,
                                NULL,
                                BAD_CAST "svg",
                                BAD_CAST "http://www.w3.org/2000/svg");
    /* the columns of the lists are made with spaces */
    xmlTextWriterWriteAttribute(svg->writer, BAD_CAST "xml:space", BAD_CAST "preserve");
    xmlTextWriterWriteElement(svg->writer, BAD_CAST "title", BAD_CAST escaped);
    xmlTextWriterWriteElement(svg->writer,
                              BAD_CAST "style",
                              BAD_CAST "text { font: 12px monospace; fill: #1a1a1a; }\n"
                                       ".head { font-weight: bold; }\n"
                                       "rect { stroke: #555555; stroke-width: 1; }\n"
                                       ".ground { stroke: none; }\n");
    xmlTextWriterStartElement(svg->writer, BAD_CAST "rect");
    xmlTextWriterWriteAttribute(svg->writer, BAD_CAST "class", BAD_CAST "ground");
    xmlTextWriterWriteAttribute(svg->writer, BAD_CAST "width", BAD_CAST "100%");
    xmlTextWriterWriteAttribute(svg->writer, BAD_CAST "height", BAD_CAST "100%");
    xmlTextWriterWriteAttribute(svg->writer, BAD_CAST "fill", BAD_CAST "#ffffff");
    xmlTextWriterEndElement(svg->writer);
    vshCxlSvgLine(svg, "head", title);
    svg->y += VSH_CXL_SVG_LINE / 3.0;
}

/* Set the size of the drawing in the root element. Returns the whole text. */
static char *
vshCxlSvgEnd(vshCxlSvg *svg, xmlDocPtr doc)
{
    g_autofree char *width = g_strdup_printf("%d", (int)svg->width + VSH_CXL_SVG_MARGIN);
    g_autofree char *height = g_strdup_printf("%d", (int)svg->y + VSH_CXL_SVG_MARGIN);
    g_autofree char *box = g_strdup_printf("0 0 %s %s", width, height);
    xmlNodePtr root = xmlDocGetRootElement(doc);
    xmlChar *text = NULL;
    char *copy;
    int size;

    xmlNewProp(root, BAD_CAST "width", BAD_CAST width);
    xmlNewProp(root, BAD_CAST "height", BAD_CAST height);
    xmlNewProp(root, BAD_CAST "viewBox", BAD_CAST box);
    xmlDocDumpFormatMemoryEnc(doc, &text, &size, "UTF-8", 1);
    copy = g_strndup((const char *)text, (gsize)size);
    xmlFree(text);
    return copy;
}

/**
 * vshCxlMapFormatSvg:
 * @devices: all devices of a domain, of virDomainCxlDcdDevicePtr
 * @alias: the device to draw, NULL for all
 * @domain: the name of the domain
 *
 * Returns the map as an SVG document.
 */
char *
vshCxlMapFormatSvg(GPtrArray *devices, const char *alias, const char *domain)
{
    g_autofree char *title = g_strdup_printf("CXL dynamic capacity of domain '%s'", domain);
    vshCxlSvg svg = {.y = VSH_CXL_SVG_MARGIN, .tag = vshCxlMapTagLength(devices)};
    xmlDocPtr doc = NULL;
    char *text;
    size_t i;

    svg.writer = xmlNewTextWriterDoc(&doc, 0);
    vshCxlSvgBegin(&svg, title);
    for (i = 0; i < devices->len; i++) {
        const virDomainCxlDcdDevice *device = g_ptr_array_index(devices, i);

        if (!alias || g_str_equal(device->alias, alias))
            vshCxlSvgDevice(&svg, device);
    }
    vshCxlSvgLegend(&svg);
    xmlTextWriterEndDocument(svg.writer);
    text = vshCxlSvgEnd(&svg, doc);
    xmlFreeTextWriter(svg.writer);
    xmlFreeDoc(doc);
    return text;
}
