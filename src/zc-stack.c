/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two linked lists share one array of nodes: `full` holds the items, `spare` the nodes without one. A list is one
 * 64-bit word, so that it changes in one compare-and-swap:
 *
 *   63           32 31    16 15     0
 *   |     tag      | length | index |      index: 1 + that of the first node, 0 = empty list
 *
 * The tag grows with every change. A thread that was held up between reading a list and swapping it finds another
 * tag, so a node that left and came back meanwhile (the ABA problem) makes it try again instead of breaking the
 * list. It would take 2^32 changes within that moment to be fooled. */
#include "zc-stack.h"

#include "zc-cache-line.h"
#include "zc-limits.h"

#include <stdatomic.h>

typedef struct {
  _Atomic guint32 next; /* 1 + index of the node below, 0 = none */
  _Atomic (gpointer) item;
} Node;

typedef struct {
  _Atomic guint64 head;
  guint8 pad[ZC_CACHE_LINE_BYTES - sizeof (guint64)]; /* the two lists are written by different threads */
} List;

struct _ZcStack {
  List full;
  List spare;
  Node nodes[];
};

static guint32
head_index (guint64 head)
{
  return (guint32) (head & 0xffff);
}

static guint32
head_length (guint64 head)
{
  return (guint32) (head >> 16 & 0xffff);
}

static guint64
make_head (guint64 old, guint32 index, guint32 length)
{
  return ((old >> 32) + 1) << 32 | (guint64) length << 16 | index;
}

static guint32
take_node (ZcStack *stack, List *list)
{
  guint64 head = atomic_load_explicit (&list->head, memory_order_acquire);
  guint32 index, next;

  do {
    index = head_index (head);
    if (index == 0)
      return 0;
    /* May be stale if the node has been taken meanwhile: then the swap fails. */
    next = atomic_load_explicit (&stack->nodes[index - 1].next, memory_order_relaxed);
  } while (!atomic_compare_exchange_weak_explicit (&list->head, &head, make_head (head, next, head_length (head) - 1),
      memory_order_acquire, memory_order_acquire));
  return index;
}

static void
put_node (ZcStack *stack, List *list, guint32 index)
{
  guint64 head = atomic_load_explicit (&list->head, memory_order_relaxed);

  do
    atomic_store_explicit (&stack->nodes[index - 1].next, head_index (head), memory_order_relaxed);
  while (!atomic_compare_exchange_weak_explicit (&list->head, &head, make_head (head, index, head_length (head) + 1),
      memory_order_release, memory_order_relaxed));
}

ZcStack *
zc_stack_new (guint capacity)
{
  gsize bytes = sizeof (ZcStack) + capacity * sizeof (Node);
  ZcStack *stack;

  g_assert (capacity > 0 && capacity <= ZC_MAX_BLOCKS);
  stack = g_aligned_alloc0 (1, (bytes + ZC_CACHE_LINE_BYTES - 1) & ~(gsize) (ZC_CACHE_LINE_BYTES - 1),
      ZC_CACHE_LINE_BYTES);
  for (guint32 i = capacity; i > 0; i--)
    put_node (stack, &stack->spare, i);
  return stack;
}

void
zc_stack_free (ZcStack *stack)
{
  g_aligned_free (stack);
}

gboolean
zc_stack_push (ZcStack *stack, gpointer item)
{
  guint32 index = take_node (stack, &stack->spare);

  if (index == 0)
    return FALSE;
  atomic_store_explicit (&stack->nodes[index - 1].item, item, memory_order_relaxed);
  put_node (stack, &stack->full, index);
  return TRUE;
}

gpointer
zc_stack_pop (ZcStack *stack)
{
  guint32 index = take_node (stack, &stack->full);
  gpointer item;

  if (index == 0)
    return NULL;
  item = atomic_load_explicit (&stack->nodes[index - 1].item, memory_order_relaxed);
  put_node (stack, &stack->spare, index);
  return item;
}

guint
zc_stack_length (const ZcStack *stack)
{
  return head_length (atomic_load_explicit (&stack->full.head, memory_order_relaxed));
}
