/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE /* cpu_set_t */
#include "zc-thread.h"

#include <errno.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

/* What the process has is what its first thread has, whose id is the process's. 0 is the calling thread. */
void
zc_thread_make_ordinary (void)
{
  const struct sched_param none = { 0 };
  cpu_set_t processors[8]; /* of 1024 each */
  int nice_value;

  sched_setscheduler (0, SCHED_OTHER, &none);
  errno = 0;
  nice_value = getpriority (PRIO_PROCESS, (id_t) getpid ());
  if (errno == 0)
    setpriority (PRIO_PROCESS, 0, nice_value);
  if (sched_getaffinity (getpid (), sizeof processors, processors) == 0)
    sched_setaffinity (0, sizeof processors, processors);
}
