/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstzcallocator.h"

#include "zc-lease.h"
#include "zc-slab.h"

#include <string.h>

/* The memory over a whole block lives in the block's header, so it costs no allocation of its own; one that shares
 * another's block is allocated by itself. */
typedef struct {
  GstMemory memory;
  ZcBlock *block;

  /* Of the memory in the header alone: */
  GstBuffer *buffer;  /* that the idle memory is kept in; NULL: the memory is not alive, or in somebody's hand */
  gboolean stripping; /* the block stays where it is when the memory goes */
  const guint8 *engine; /* the bytes that were leased, good while the lease is; NULL: never leased */
  ZcLease lease;
} GstZcMemory;

struct _GstZcAllocator {
  GstAllocator parent;
  ZcSlab *slab;
  ZcSlabHooks hooks;
  GstZcMakeHeader make_header;
  gpointer data;
};

G_DEFINE_FINAL_TYPE (GstZcAllocator, gst_zc_allocator, GST_TYPE_ALLOCATOR)

static GstZcMemory *
to_zc_memory (GstMemory *memory)
{
  return (GstZcMemory *) memory;
}

/* Shares follow the memory over the whole. */
static GstZcMemory *
whole (GstMemory *memory)
{
  return to_zc_memory (memory)->block->header;
}

static gpointer
gst_zc_memory_map (GstMemory *memory, gsize max_bytes, GstMapFlags flags)
{
  GstZcMemory *root = whole (memory);

  if (root->engine != NULL && zc_lease_map (&root->lease))
    return (gpointer) root->engine; /* the memory is read-only: nobody maps it for writing */
  return root->block->data;
}

static void
gst_zc_memory_unmap (GstMemory *memory)
{
  GstZcMemory *root = whole (memory);

  if (root->engine != NULL)
    zc_lease_unmap (&root->lease);
}

static GstMemory *
gst_zc_memory_share (GstMemory *memory, gssize offset, gssize size)
{
  GstMemory *root = memory->parent != NULL ? memory->parent : memory;
  GstZcMemory *share = g_new0 (GstZcMemory, 1);
  gsize bytes = size == -1 ? memory->size - (gsize) offset : (gsize) size;

  share->block = to_zc_memory (memory)->block;
  gst_memory_init (&share->memory, GST_MINI_OBJECT_FLAGS (root) | GST_MINI_OBJECT_FLAG_LOCK_READONLY,
      memory->allocator, root, memory->maxsize, memory->align, memory->offset + (gsize) offset, bytes);
  if (whole (memory)->engine != NULL)
    gst_memory_lock (&share->memory, GST_LOCK_FLAG_EXCLUSIVE); /* as the root */
  return &share->memory;
}

static gboolean
gst_zc_memory_is_span (GstMemory *first, GstMemory *second, gsize *offset)
{
  if (to_zc_memory (first)->block != to_zc_memory (second)->block
      || first->offset + first->size != second->offset)
    return FALSE;
  if (offset != NULL) {
    GstMemory *root = first->parent != NULL ? first->parent : first;
    *offset = first->offset - root->offset;
  }
  return TRUE;
}

static GstMemory *
gst_zc_allocator_refuse_alloc (GstAllocator *allocator, gsize size, GstAllocationParams *params)
{
  g_return_val_if_reached (NULL); /* GST_ALLOCATOR_FLAG_CUSTOM_ALLOC: by gst_zc_allocator_take() only */
}

/* Of the last reference. A share has let its root go by now. */
static void
gst_zc_allocator_free (GstAllocator *allocator, GstMemory *memory)
{
  ZcBlock *block = to_zc_memory (memory)->block;

  if (memory != block->header)
    g_free (memory);
  else if (!to_zc_memory (memory)->stripping)
    zc_block_give (block);
}

static GstMemory *
init_memory (GstZcAllocator *self, ZcBlock *block)
{
  gsize bytes = zc_slab_block_bytes (block->slab);
  GstZcMemory *memory = block->header;

  memory->block = block;
  memory->engine = NULL;
  gst_memory_init (&memory->memory, 0, GST_ALLOCATOR_CAST (self), NULL, bytes, 0, 0, bytes);
  return &memory->memory;
}

GstMemory *
gst_zc_allocator_take (GstZcAllocator *self, GstBuffer **buffer, gboolean *grew)
{
  ZcBlock *block = zc_slab_take (self->slab, grew);
  GstZcMemory *memory;

  if (block == NULL)
    return NULL;
  memory = block->header;
  *buffer = g_steal_pointer (&memory->buffer);
  return *buffer != NULL ? &memory->memory : init_memory (self, block);
}

GstMemory *
gst_zc_allocator_lease (GstZcAllocator *self, gconstpointer data, gsize bytes, GstBuffer **buffer, gboolean *grew)
{
  GstMemory *memory = gst_zc_allocator_take (self, buffer, grew);

  if (memory == NULL)
    return NULL;
  memory->size = memory->maxsize = bytes;
  GST_MINI_OBJECT_FLAG_SET (memory, GST_MEMORY_FLAG_READONLY);
  /* As if another buffer had it: gst_memory_is_writable() does not look at READONLY, and who asks that before mapping,
   * as audioconvert does, would have it copied for writing. gst_memory_init() forgets this, when the block is next
   * taken. */
  gst_memory_lock (memory, GST_LOCK_FLAG_EXCLUSIVE);
  to_zc_memory (memory)->engine = data;
  zc_lease_init (&to_zc_memory (memory)->lease, TRUE);
  return memory;
}

gboolean
gst_zc_allocator_keep (GstZcAllocator *self, GstMemory *memory, GstBuffer *buffer)
{
  GstZcMemory *whole_memory = to_zc_memory (memory);

  if (memory->allocator != GST_ALLOCATOR_CAST (self) || memory->parent != NULL || whole_memory->engine != NULL
      || GST_MINI_OBJECT_REFCOUNT_VALUE (memory) != 1 || !gst_memory_is_writable (memory))
    return FALSE;
  memory->offset = 0;
  memory->size = memory->maxsize;
  whole_memory->buffer = buffer;
  zc_block_give (whole_memory->block);
  return TRUE;
}

/* A new block: its memory is alive from the start, in a buffer. */
static void
dress (ZcBlock *block, gpointer data)
{
  GstZcAllocator *self = data;
  GstBuffer *buffer = self->make_header (self->data);

  gst_buffer_append_memory (buffer, init_memory (self, block));
  GST_BUFFER_FLAG_UNSET (buffer, GST_BUFFER_FLAG_TAG_MEMORY);
  ((GstZcMemory *) block->header)->buffer = buffer;
}

static void
strip (ZcBlock *block)
{
  GstZcMemory *memory = block->header;

  memory->stripping = TRUE;
  gst_clear_buffer (&memory->buffer);
  memory->stripping = FALSE;
}

gboolean
gst_zc_memory_evacuate (GstMemory *memory, gint64 end_us)
{
  GstZcMemory *root = whole (memory);

  while (!zc_lease_begin_evacuation (&root->lease)) /* one may map it again while we wake up */
    if (!zc_lease_wait (&root->lease, end_us))
      return FALSE;
  memcpy (root->block->data, root->engine, memory->maxsize);
  zc_lease_end_evacuation (&root->lease);
  return TRUE;
}

GstZcAllocator *
gst_zc_allocator_new (const ZcSlabSpec *spec, GstZcMakeHeader make_header, gpointer data)
{
  GstZcAllocator *self = g_object_new (GST_TYPE_ZC_ALLOCATOR, NULL);
  ZcSlabSpec own = *spec;

  gst_object_ref_sink (self);
  self->make_header = make_header;
  self->data = data;
  self->hooks = (ZcSlabHooks){ dress, strip, self };
  own.header_bytes = sizeof (GstZcMemory);
  own.hooks = &self->hooks;
  self->slab = zc_slab_new (&own);
  if (self->slab == NULL)
    gst_clear_object (&self);
  return self;
}

ZcSlab *
gst_zc_allocator_get_slab (GstZcAllocator *self)
{
  return self->slab;
}

static void
gst_zc_allocator_finalize (GObject *object)
{
  g_clear_pointer (&GST_ZC_ALLOCATOR (object)->slab, zc_slab_release);
  G_OBJECT_CLASS (gst_zc_allocator_parent_class)->finalize (object);
}

static void
gst_zc_allocator_class_init (GstZcAllocatorClass *klass)
{
  GstAllocatorClass *allocator_class = GST_ALLOCATOR_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = gst_zc_allocator_finalize;
  allocator_class->alloc = gst_zc_allocator_refuse_alloc;
  allocator_class->free = gst_zc_allocator_free;
}

static void
gst_zc_allocator_init (GstZcAllocator *self)
{
  GstAllocator *allocator = GST_ALLOCATOR_CAST (self);

  allocator->mem_type = GST_ZC_MEMORY_TYPE;
  allocator->mem_map = gst_zc_memory_map;
  allocator->mem_unmap = gst_zc_memory_unmap;
  allocator->mem_share = gst_zc_memory_share;
  allocator->mem_is_span = gst_zc_memory_is_span;
  GST_OBJECT_FLAG_SET (self, GST_ALLOCATOR_FLAG_CUSTOM_ALLOC);
}
