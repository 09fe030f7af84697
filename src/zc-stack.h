/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* zc-stack.h: a bounded last-in-first-out store of pointers, without locks or allocation.
 *
 * Last in first out keeps the memory that is used again warm in the cache.
 *
 * Threads: push, pop and length from any number of threads at once; new and free by the owner alone. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _ZcStack ZcStack;

/* Room for `capacity` pointers (1 to ZC_MAX_BLOCKS). Never NULL. */
ZcStack *zc_stack_new (guint capacity);

/* Forgets what is in it: the owner empties it first if the items need care. */
void zc_stack_free (ZcStack *stack);

/* FALSE if it is full; the item (not NULL) then stays the caller's. Lock-free. */
gboolean zc_stack_push (ZcStack *stack, gpointer item);

/* NULL if it is empty. Lock-free. */
gpointer zc_stack_pop (ZcStack *stack);

/* How many items were in it at some moment during the call. */
guint zc_stack_length (const ZcStack *stack);

G_END_DECLS
