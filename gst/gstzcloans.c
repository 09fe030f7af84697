/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstzcloans.h"

#include "gstzcallocator.h"

struct _GstZcLoans {
  ZcStats *stats;
  GQueue memories; /* GstMemory; END after those of each packet */
  GQueue idle;     /* links of the queue above that are not in use: nothing is allocated per packet */
};

#define END ((gpointer) 1)

GstZcLoans *
gst_zc_loans_new (ZcStats *stats)
{
  GstZcLoans *self = g_new0 (GstZcLoans, 1);

  self->stats = stats;
  return self;
}

void
gst_zc_loans_free (GstZcLoans *self)
{
  g_assert (g_queue_is_empty (&self->memories));
  g_queue_clear (&self->idle);
  g_free (self);
}

static void
push (GstZcLoans *self, gpointer item)
{
  GList *link = g_queue_pop_head_link (&self->idle);

  if (link == NULL)
    link = g_list_alloc ();
  link->data = item;
  g_queue_push_tail_link (&self->memories, link);
}

static gpointer
pop (GstZcLoans *self)
{
  GList *link = g_queue_pop_head_link (&self->memories);

  g_queue_push_head_link (&self->idle, link);
  return g_steal_pointer (&link->data);
}

void
gst_zc_loans_add (GstZcLoans *self, GstMemory *memory)
{
  push (self, gst_memory_ref (memory));
}

void
gst_zc_loans_end_packet (GstZcLoans *self)
{
  push (self, END);
}

/* Nobody can come by a new reference then. */
static gboolean
is_free (GstMemory *memory)
{
  return GST_MINI_OBJECT_REFCOUNT_VALUE (memory) == 1;
}

gboolean
gst_zc_loans_oldest_is_free (GstZcLoans *self)
{
  for (GList *link = self->memories.head; link != NULL; link = link->next) {
    if (link->data == END)
      return TRUE;
    if (!is_free (link->data))
      return FALSE;
  }
  return FALSE;
}

gboolean
gst_zc_loans_settle_oldest (GstZcLoans *self, gint64 timeout_us)
{
  GstMemory *memory;

  while ((memory = g_queue_peek_head (&self->memories)) != END) {
    if (!is_free (memory)) {
      if (!gst_zc_memory_evacuate (memory, timeout_us))
        return FALSE;
      zc_stats_add (self->stats, ZC_STAT_EVACUATIONS, 1);
      zc_stats_add (self->stats, ZC_STAT_BYTES_COPIED, memory->maxsize);
    }
    gst_memory_unref (pop (self));
  }
  pop (self);
  return TRUE;
}
