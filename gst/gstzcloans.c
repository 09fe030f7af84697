/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstzcloans.h"

#include "gstzcallocator.h"

struct _GstZcLoans {
  ZcStats *stats;
  ZcStats uncounted; /* after abandon() */
  GQueue memories; /* GstMemory; END after those of each packet */
  gboolean oldest_is_mapped; /* and wanted back */
  gint64 mapped_since_us;    /* since when it is; NEVER after that was told */
  GQueue idle;     /* links of the queue above that are not in use: nothing is allocated per packet */
};

#define END   ((gpointer) 1)
#define NEVER G_MAXINT64

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

/* Pieces give their blocks back before the packet that they are of ends. TRUE if that is at its end. */
static gboolean
drop_free (GstZcLoans *self)
{
  GstMemory *memory;

  while ((memory = g_queue_peek_head (&self->memories)) != NULL && memory != END && is_free (memory))
    gst_memory_unref (pop (self));
  return memory == END;
}

/* Nothing of it is on loan any more. */
static void
give_back_oldest (GstZcLoans *self, ZcCapture *capture)
{
  pop (self);
  self->oldest_is_mapped = FALSE;
  zc_capture_give_back (capture);
}

static gboolean
note_mapped (GstZcLoans *self)
{
  if (!self->oldest_is_mapped)
    self->mapped_since_us = g_get_monotonic_time ();
  self->oldest_is_mapped = TRUE;
  return FALSE;
}

gboolean
gst_zc_loans_call_in_oldest (GstZcLoans *self, ZcCapture *capture, gint64 timeout_ns)
{
  gint64 end_us = g_get_monotonic_time () + timeout_ns / 1000;

  while (!drop_free (self)) {
    GstMemory *memory = g_queue_peek_head (&self->memories);

    if (!gst_zc_memory_evacuate (memory, end_us))
      return note_mapped (self);
    zc_stats_add (self->stats, ZC_STAT_EVACUATIONS, 1);
    zc_stats_add (self->stats, ZC_STAT_BYTES_COPIED, memory->maxsize);
    gst_memory_unref (pop (self));
  }
  give_back_oldest (self, capture);
  return TRUE;
}

gboolean
gst_zc_loans_take_stuck (GstZcLoans *self)
{
  gint64 since_us = g_get_monotonic_time () - ZC_UNMAP_TIMEOUT_NS / 1000;

  if (!self->oldest_is_mapped || self->mapped_since_us > since_us)
    return FALSE;
  self->mapped_since_us = NEVER;
  return TRUE;
}

void
gst_zc_loans_give_back_free (GstZcLoans *self, ZcCapture *capture)
{
  while (drop_free (self))
    give_back_oldest (self, capture);
}

gboolean
gst_zc_loans_call_in_all (GstZcLoans *self, ZcCapture *capture, gint64 timeout_ns)
{
  gint64 end_us = g_get_monotonic_time () + timeout_ns / 1000;

  while (zc_capture_is_lending (capture)) {
    gint64 left_us = MAX (end_us - g_get_monotonic_time (), 0);
    if (!gst_zc_loans_call_in_oldest (self, capture, left_us * 1000))
      return FALSE;
  }
  return TRUE;
}

typedef struct {
  GstZcLoans *loans;
  ZcCapture *capture;
  GstObject *owner;
} Abandoned;

static gpointer
close_when_unmapped (gpointer data)
{
  Abandoned *abandoned = data;

  while (!gst_zc_loans_call_in_all (abandoned->loans, abandoned->capture, ZC_UNMAP_TIMEOUT_NS))
    ;
  zc_capture_close (abandoned->capture);
  gst_zc_loans_free (abandoned->loans);
  gst_object_unref (abandoned->owner);
  g_free (abandoned);
  return NULL;
}

void
gst_zc_loans_abandon (GstZcLoans *self, ZcCapture *capture, GstObject *owner)
{
  Abandoned *abandoned = g_new0 (Abandoned, 1);

  zc_capture_detach (capture);
  self->stats = &self->uncounted; /* the owner's have one writer, and that is not the thread to come */
  *abandoned = (Abandoned){ self, capture, gst_object_ref (owner) };
  g_thread_unref (g_thread_new ("zc-abandoned", close_when_unmapped, abandoned));
}
