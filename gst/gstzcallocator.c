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
  const guint8 *engine; /* the bytes that were leased, good while the lease is; NULL: never leased */
  ZcLease lease;
} GstZcMemory;

struct _GstZcAllocator {
  GstAllocator parent;
  ZcSlab *slab;
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

  if (memory == block->header)
    zc_block_give (block);
  else
    g_free (memory);
}

static GstMemory *
take (GstZcAllocator *self, const guint8 *engine, gsize bytes, gboolean *grew)
{
  ZcBlock *block = zc_slab_take (self->slab, grew);
  GstZcMemory *memory;

  if (block == NULL)
    return NULL;
  memory = block->header;
  memory->block = block;
  memory->engine = engine;
  zc_lease_init (&memory->lease, engine != NULL);
  gst_memory_init (&memory->memory, engine != NULL ? GST_MEMORY_FLAG_READONLY : 0, GST_ALLOCATOR_CAST (self), NULL,
      bytes, 0, 0, bytes);
  return &memory->memory;
}

GstMemory *
gst_zc_allocator_take (GstZcAllocator *self, gboolean *grew)
{
  return take (self, NULL, zc_slab_block_bytes (self->slab), grew);
}

GstMemory *
gst_zc_allocator_lease (GstZcAllocator *self, gconstpointer data, gsize bytes, gboolean *grew)
{
  return take (self, data, bytes, grew);
}

gboolean
gst_zc_memory_evacuate (GstMemory *memory, gint64 timeout_us)
{
  GstZcMemory *root = whole (memory);

  if (!zc_lease_begin_evacuation (&root->lease)
      && !(zc_lease_wait (&root->lease, timeout_us) && zc_lease_begin_evacuation (&root->lease)))
    return FALSE;
  memcpy (root->block->data, root->engine, memory->maxsize);
  zc_lease_end_evacuation (&root->lease);
  return TRUE;
}

gboolean
gst_zc_allocator_renew (GstZcAllocator *self, GstMemory *memory)
{
  if (memory->allocator != GST_ALLOCATOR_CAST (self) || memory->parent != NULL
      || to_zc_memory (memory)->engine != NULL || GST_MINI_OBJECT_REFCOUNT_VALUE (memory) != 1
      || !gst_memory_is_writable (memory))
    return FALSE;
  memory->offset = 0;
  memory->size = memory->maxsize;
  return TRUE;
}

guint
gst_zc_allocator_get_size (GstZcAllocator *self)
{
  return zc_slab_size (self->slab);
}

guint
gst_zc_allocator_get_outstanding (GstZcAllocator *self)
{
  return zc_slab_outstanding (self->slab);
}

GstZcAllocator *
gst_zc_allocator_new (gsize block_bytes, guint min_blocks, guint max_blocks)
{
  GstZcAllocator *self = g_object_new (GST_TYPE_ZC_ALLOCATOR, NULL);

  gst_object_ref_sink (self);
  self->slab = zc_slab_new (block_bytes, sizeof (GstZcMemory), min_blocks, max_blocks);
  return self;
}

static void
gst_zc_allocator_finalize (GObject *object)
{
  zc_slab_release (GST_ZC_ALLOCATOR (object)->slab);
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
