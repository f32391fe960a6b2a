/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * requests.h: QMP requests, for comparing who sent what
 */

#ifndef REQUESTS_H
#define REQUESTS_H

#include <glib.h>

GPtrArray *requestsOfRecord(const char *text);
GPtrArray *requestsOfLog(const char *text);
char *requestsReport(const GPtrArray *requests, const char *tag);

#endif /* REQUESTS_H */
