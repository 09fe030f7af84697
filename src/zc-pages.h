/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* zc-pages.h: memory straight from the system, of the kind that one wishes for where it can be had. One file per
 * system, chosen by Meson.
 *
 * A wish that is not granted is no error: zc_pages_read() asks the system what there really is.
 *
 * Threads: any; one at a time for each ZcPages. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  gboolean huge;  /* large pages */
  gint numa_node; /* -1: any */
  gboolean lock;  /* never paged out */
} ZcPagesWish;

#define ZC_PAGES_WISH_NONE ((ZcPagesWish){ .numa_node = -1 })

/* What the system says of some memory. Start with ZC_PAGES_STATE_NONE. */
typedef struct {
  gsize bytes;
  gsize huge_bytes;   /* of these, on large pages */
  gsize locked_bytes; /* of these, never paged out */
  gint numa_node;     /* that has them all; -1: none has, or the system does not say */
} ZcPagesState;

#define ZC_PAGES_STATE_NONE ((ZcPagesState){ .numa_node = -1 })

typedef struct {
  guint8 *data; /* starts on a page */
  gsize bytes;  /* at least what was asked for, whole pages */

  /* The system's file's own: */
  gpointer base;
  gsize base_bytes;
  gsize raised_bytes; /* of what the process may lock, for this */
} ZcPages;

/* `bytes` (> 0) of zeros, all in memory already. FALSE if the system has none. */
gboolean zc_pages_get (ZcPages *pages, gsize bytes, const ZcPagesWish *wish);

/* Back to the system. */
void zc_pages_put (ZcPages *pages);

/* Adds what is true of these pages to *state. Takes milliseconds. */
void zc_pages_read (const ZcPages *pages, ZcPagesState *state);

/* The wishes that `state` does not fulfil; lists them for people ("large pages, locked memory"), NULL if there is none.
 * Transfer full. */
gchar *zc_pages_describe_lack (const ZcPagesWish *wish, const ZcPagesState *state);

/* Adds `bytes` on `numa_node` (-1: unknown) to *state: for the systems' files. */
void zc_pages_state_add (ZcPagesState *state, gsize bytes, gsize huge_bytes, gsize locked_bytes, gint numa_node);

G_END_DECLS
