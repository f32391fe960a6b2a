/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qmp-report: what QEMU was told about a tag
 *
 *   qmp-report record FILE TAG   according to a recording, tests/modeldata/NAME.jsonl
 *   qmp-report log FILE TAG      according to libvirt's log, FILE
 *
 * Equal reports mean equal actions: see ../requests.c.
 */

#include <config.h>

#include <stdio.h>

#include "requests.h"

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    g_autofree char *report = NULL;
    g_autoptr(GPtrArray) requests = NULL;
    gboolean record = argc == 4 && g_str_equal(argv[1], "record");

    if (!record && (argc != 4 || !g_str_equal(argv[1], "log"))) {
        fprintf(stderr, "usage: qmp-report record|log FILE TAG\n");
        return 2;
    }
    if (!g_file_get_contents(argv[2], &text, NULL, &error)) {
        fprintf(stderr, "qmp-report: %s\n", error->message);
        return 1;
    }
    requests = record ? requestsOfRecord(text) : requestsOfLog(text);
    report = requestsReport(requests, argv[3]);
    fputs(report, stdout);
    return 0;
}
