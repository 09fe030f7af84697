/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "floorpool.h"

#define POOL_BUFFERS 64

typedef struct
{
  GstBufferPool parent;
  GstAtomicQueue *idle;
} FloorPool;
typedef GstBufferPoolClass FloorPoolClass;

GType floor_pool_get_type (void);
G_DEFINE_TYPE (FloorPool, floor_pool, GST_TYPE_BUFFER_POOL)

static GstFlowReturn
floor_pool_acquire (GstBufferPool *pool, GstBuffer **out, GstBufferPoolAcquireParams *params)
{
  (void) params;
  *out = gst_atomic_queue_pop (((FloorPool *) pool)->idle);
  return *out ? GST_FLOW_OK : GST_FLOW_ERROR;
}

static void
floor_pool_release (GstBufferPool *pool, GstBuffer *buffer)
{
  gst_atomic_queue_push (((FloorPool *) pool)->idle, buffer);
}

static gboolean
floor_pool_start (GstBufferPool *pool)
{
  for (guint i = 0; i < POOL_BUFFERS; i++)
    floor_pool_release (pool, gst_buffer_new_allocate (NULL, PACKET_BYTES, NULL));
  return TRUE;
}

static gboolean
floor_pool_stop (GstBufferPool *pool)
{
  GstBuffer *buffer;

  while ((buffer = gst_atomic_queue_pop (((FloorPool *) pool)->idle)))
    gst_buffer_unref (buffer);
  return TRUE;
}

static void
floor_pool_finalize (GObject *object)
{
  G_OBJECT_CLASS (floor_pool_parent_class)->finalize (object);
  gst_atomic_queue_unref (((FloorPool *) object)->idle);
}

static void
floor_pool_class_init (FloorPoolClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = floor_pool_finalize;
  klass->acquire_buffer = floor_pool_acquire;
  klass->release_buffer = floor_pool_release;
  klass->start = floor_pool_start;
  klass->stop = floor_pool_stop;
}

static void
floor_pool_init (FloorPool *pool)
{
  pool->idle = gst_atomic_queue_new (2 * POOL_BUFFERS);
}

GstBufferPool *
floor_pool_new_active (void)
{
  GstBufferPool *pool = g_object_new (floor_pool_get_type (), NULL);
  GstStructure *config = gst_buffer_pool_get_config (pool);

  gst_buffer_pool_config_set_params (config, NULL, PACKET_BYTES, POOL_BUFFERS, POOL_BUFFERS);
  gst_buffer_pool_set_config (pool, config);
  gst_buffer_pool_set_active (pool, TRUE);
  return pool;
}
